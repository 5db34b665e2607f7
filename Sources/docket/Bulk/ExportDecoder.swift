import DocketJSON
import DocketWire
import Glibc
import NIOCore

/// Takes lines that `docket export` has written, and puts each document back at its path, with what is left of its lifetime.
struct ExportDecoder: RecordDecoder {
  let maximumDocumentBytes: Int
  /// The present, in seconds since 1970.
  let now: () -> Double

  /// `Expires-In` at most: 100 years.
  private static let longestSeconds = 3_155_760_000.0

  func write(_ record: UnsafeRawBufferPointer, to request: inout ByteBuffer) throws(BadRecord) -> DecodedRecord {
    let line = try Line(record)
    // Without a word the document would live as long as is set for its collection.
    var lifetime = "\"never\""
    if let expires = line.expires {
      let left = try Self.seconds(of: expires) - now()
      guard left > 0 else { return .expired }
      // SQL can give a document an end that is further away than a request can say.
      lifetime = "\(Int64(min(left.rounded(.up), Self.longestSeconds)))"
    }
    request.writeStaticString("{\"method\": \"PUT\", \"path\": ")
    request.writeBytes(line.path)
    request.writeString(", \"headers\": {\"Expires-In\": \(lifetime)}")
    request.writeStaticString(", \"data\": ")
    defer { request.writeStaticString("}") }
    return try line.withDocument { document throws(BadRecord) in
      try checkSize(document.count, limit: maximumDocumentBytes)
      request.writeBytes(document)
      return try Self.check(document)
    }
  }

  private static func check(_ document: UnsafeRawBufferPointer) throws(BadRecord) -> DecodedRecord {
    do {
      try JSONScanner.validate(document, maximumDepth: ImportTarget.depthInBatch)
      return .request
    } catch  where error.reason == .tooDeep(limit: ImportTarget.depthInBatch) {
      do {
        try JSONScanner.validate(document)
        return .loneRequest
      } catch {
        throw BadRecord(reason: "\(error)")
      }
    } catch {
      throw BadRecord(reason: "\(error)")
    }
  }

  /// - Parameter text: a JSON string that holds a time in UTC, `2030-01-31T12:00:00.250Z`.
  /// - Returns: seconds since 1970.
  private static func seconds(of text: UnsafeRawBufferPointer) throws(BadRecord) -> Double {
    var numbers: [Double] = []
    let text = JSONOutline.text(text) ?? ""
    if (20...24).contains(text.utf8.count), text.hasSuffix("Z"),
      text.utf8.allSatisfy({ "0123456789-T:.Z".utf8.contains($0) })
    {
      numbers = text.utf8.dropLast().split { "-T:".utf8.contains($0) }.compactMap { Double(Substring($0)) }
    }
    guard numbers.count == 6 else {
      throw BadRecord(reason: "'expires' must be null or a time such as 2030-01-31T12:00:00.000Z")
    }
    var time = tm()
    time.tm_year = Int32(clamping: Int(numbers[0]) - 1900)
    time.tm_mon = Int32(clamping: Int(numbers[1]) - 1)
    time.tm_mday = Int32(clamping: Int(numbers[2]))
    return Double(timegm(&time)) + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
  }
}

extension ExportDecoder {
  /// The parts of a line that count. The rest is for people.
  private struct Line {
    let path: UnsafeRawBufferPointer
    /// Nil for a document that stays.
    let expires: UnsafeRawBufferPointer?
    private let document: UnsafeRawBufferPointer
    private let isText: Bool

    /// - Parameter record: must outlive the line.
    init(_ record: UnsafeRawBufferPointer) throws(BadRecord) {
      var path: UnsafeRawBufferPointer?
      var expires: UnsafeRawBufferPointer?
      var document: UnsafeRawBufferPointer?
      var text: UnsafeRawBufferPointer?
      do {
        var outline = JSONOutline(record)
        try outline.forEachMember { name, range in
          let value = UnsafeRawBufferPointer(rebasing: record[range])
          switch name {
          case "path": path = value
          case "expires": expires = value.isText("null") ? nil : value
          case "document": document = value
          case "text": text = value
          default: break
          }
        }
      } catch {
        throw BadRecord(reason: "\(error)")
      }
      guard let path, path.first == UInt8(ascii: "\"") else {
        throw BadRecord(reason: "no line of docket export, which has a 'path' (--collection imports plain documents)")
      }
      guard let value = document ?? text, document == nil || text == nil else {
        throw BadRecord(reason: "no line of docket export, which has either a 'document' or a 'text'")
      }
      guard text == nil || value.first == UInt8(ascii: "\"") else { throw BadRecord(reason: "'text' must be a string") }
      self.path = path
      self.expires = expires
      self.document = value
      isText = text != nil
    }

    /// Calls `body` with the document's bytes.
    func withDocument(
      _ body: (UnsafeRawBufferPointer) throws(BadRecord) -> DecodedRecord
    ) throws(BadRecord) -> DecodedRecord {
      guard isText else { return try body(document) }
      guard let text = JSONString.decode(document) else { throw BadRecord(reason: "'text' is no Unicode text") }
      let bytes = Array(text.utf8)
      return try bytes.withUnsafeBytes { bytes in
        Result { () throws(BadRecord) in try body(bytes) }
      }.get()
    }
  }
}
