import NIOCore

/// Requests that are sent as one, and where in the source they came from.
///
/// Where a batch begins and what its records are decides where it ends, whatever came before. So an import that begins
/// again behind an earlier batch makes the same batches, and those that need a key find it again.
struct ImportBatch {
  struct Limits {
    /// 1,000 at most, by the protocol.
    let requests: Int
    /// In bytes of requests; a single request may have more.
    let bytes: Int
    /// Of any kind: bad, expired and blank ones make no request, and yet a long run of them must end sometime.
    let records: Int
  }

  private struct Entry {
    let number: Int
    /// Where its request ends in the buffer.
    let end: Int
  }

  private static let opening: StaticString = "{\"requests\": ["
  private static let separator: StaticString = ", "

  /// The number of the first record that it could hold.
  let firstNumber: Int
  /// What came of the records from there on that made no request.
  var tally = ImportTally()
  /// Where the source goes on.
  var place = RecordReader.Place()
  /// Whether its one request goes by itself.
  private(set) var isLone = false
  /// How many requests were taken out since it was made.
  private(set) var removals = 0
  private var entries: [Entry] = []
  private var requests = ByteBuffer()

  init(firstNumber: Int) {
    self.firstNumber = firstNumber
  }

  var isEmpty: Bool { entries.isEmpty }

  func hasRoom(for request: ByteBuffer, isLone: Bool, limits: Limits) -> Bool {
    if isEmpty { return true }
    return !isLone && !self.isLone && entries.count < limits.requests
      && requests.readableBytes + request.readableBytes <= limits.bytes
  }

  mutating func append(_ request: ByteBuffer, number: Int, isLone: Bool) {
    if isEmpty {
      requests.writeStaticString(Self.opening)
    } else {
      requests.writeStaticString(Self.separator)
    }
    requests.writeImmutableBuffer(request)
    entries.append(Entry(number: number, end: requests.writerIndex))
    self.isLone = isLone
  }

  /// The data of `POST /_batch`.
  var data: ByteBuffer {
    var data = requests
    data.writeStaticString("]}")
    return data
  }

  /// The request that goes by itself.
  var loneRequest: ByteBuffer { request(at: 0) }

  /// Takes a request out, counted from 0.
  /// - Returns: the number of its record.
  mutating func remove(at index: Int) -> Int {
    var rest = ImportBatch(firstNumber: firstNumber)
    for other in entries.indices where other != index {
      rest.append(request(at: other), number: entries[other].number, isLone: isLone)
    }
    let number = entries[index].number
    entries = rest.entries
    requests = rest.requests
    removals += 1
    return number
  }

  private func request(at index: Int) -> ByteBuffer {
    let start = index == 0 ? Self.opening.utf8CodeUnitCount : entries[index - 1].end + Self.separator.utf8CodeUnitCount
    guard let request = requests.getSlice(at: start, length: entries[index].end - start) else {
      preconditionFailure("an entry tells where its request lies")
    }
    return request
  }
}

/// What became of the records of a source.
struct ImportTally: Equatable, Sendable {
  /// Documents that were not there before, and others.
  var imported = 0
  var replaced = 0
  /// Documents whose lifetime was over.
  var skipped = 0
  var bad = 0

  static func += (tally: inout Self, other: Self) {
    tally.imported += other.imported
    tally.replaced += other.replaced
    tally.skipped += other.skipped
    tally.bad += other.bad
  }

  var documents: Int { imported + replaced }

  /// As it is printed.
  var json: String {
    #"{"imported": \#(imported), "replaced": \#(replaced), "skipped": \#(skipped), "bad": \#(bad)}"#
  }
}
