import DocketJSON
import DocketStore

/// Where a page of a query ended: the values of the sort keys and the path of its last document, so that the next page
/// begins behind it whatever comes and goes.
///
/// Its text is hexadecimal. Numbers in it are big-endian:
///
///     checksum 8 | revision 8, of the past only | values | length of the collection 4 | collection | id
///
/// A value is its rank, 1 byte; behind that of a number or a string stand its length, 4 bytes, and its bytes. An array or
/// object needs no more than its rank, since none is before another. The checksum is over all the rest and over the
/// query, so that altered cursors and those of other queries are told.
struct QueryCursor {
  /// Of its text. It is to fit a request with all else that one has.
  static let maximumBytes = 64 * 1024

  let position: Query.Position
  /// Of which the pages are, where they are of the past.
  let revision: Revision?

  init(_ position: Query.Position, asOf revision: Revision? = nil) {
    self.position = position
    self.revision = revision
  }

  /// - Parameters:
  ///   - query: the fingerprint of the query that it is to be of.
  ///   - keys: how many sort keys that has.
  init?(_ text: String, of query: Fingerprint, keys: Int, isOfPast: Bool) {
    guard let bytes = [UInt8](hexadecimal: text) else { return nil }
    var rest = bytes[...]
    guard let checksum = rest.takeInteger(bytes: 8), checksum == Self.checksum(rest, query) else { return nil }
    var revision: Revision?
    if isOfPast {
      guard let number = rest.takeInteger(bytes: 8) else { return nil }
      revision = Revision(Int64(bitPattern: number))
    }
    var values: [QueryValue] = []
    for _ in 0..<keys {
      guard let value = rest.takeValue() else { return nil }
      values.append(value)
    }
    guard let collection = rest.takeText().flatMap({ String(validating: $0, as: UTF8.self) }),
      let id = String(validating: rest, as: UTF8.self)
    else { return nil }
    let path = DocumentPath(collection: CollectionPath(unchecked: collection), id: id)
    self.init(Query.Position(values: values, path: path), asOf: revision)
  }

  func text(of query: Fingerprint) -> String {
    var bytes: [UInt8] = []
    if let revision { bytes.append(UInt64(bitPattern: revision.rawValue), bytes: 8) }
    for value in position.values { bytes.append(value) }
    bytes.append(text: Array(position.path.collection.description.utf8))
    bytes += position.path.id.utf8
    var head: [UInt8] = []
    head.append(Self.checksum(bytes[...], query), bytes: 8)
    return (head + bytes).hexadecimal
  }

  /// Which of the values takes the most of its text; nil where there are none.
  var longestValue: Int? {
    position.values.indices.max { position.values[$0].contentBytes < position.values[$1].contentBytes }
  }

  /// It guards against mistakes, not against malice: a cursor made up by hand only names another place to begin.
  private static func checksum(_ rest: ArraySlice<UInt8>, _ query: Fingerprint) -> UInt64 {
    var fingerprint = query
    fingerprint.add(rest)
    return fingerprint.value
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: UInt64, bytes: Int) {
    for index in (0..<bytes).reversed() { append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
  }

  fileprivate mutating func append(text: [UInt8]) {
    append(UInt64(text.count), bytes: 4)
    self += text
  }

  fileprivate mutating func append(_ value: QueryValue) {
    append(UInt8(value.rank))
    switch value {
    case .number(let number): append(text: number.token)
    case .string(let bytes): append(text: bytes)
    case .missing, .null, .false, .true, .composite: break
    }
  }
}

extension QueryValue {
  fileprivate var contentBytes: Int {
    switch self {
    case .number(let number): number.token.count
    case .string(let bytes): bytes.count
    case .missing, .null, .false, .true, .composite: 0
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate mutating func takeInteger(bytes width: Int) -> UInt64? {
    guard count >= width else { return nil }
    let number = prefix(width).reduce(0) { $0 << 8 | UInt64($1) }
    removeFirst(width)
    return number
  }

  fileprivate mutating func takeText() -> ArraySlice<UInt8>? {
    guard let length = takeInteger(bytes: 4), length <= count else { return nil }
    let text = prefix(Int(length))
    removeFirst(Int(length))
    return text
  }

  fileprivate mutating func takeValue() -> QueryValue? {
    switch popFirst() {
    case 0: return .missing
    case 1: return .null
    case 2: return .false
    case 3: return .true
    case 4: return takeText().flatMap { $0.decimal.map { .number($0) } }
    case 5: return takeText().map { .string(Array($0)) }
    case 6: return .composite([])
    default: return nil
    }
  }

  private var decimal: JSONDecimal? {
    withUnsafeBytes { token in
      guard let first = token.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
        let last = token.last, (0x30...0x39).contains(last), (try? JSONScanner.validate(token)) != nil
      else { return nil }
      return JSONDecimal(token)
    }
  }
}
