import DocketJSON
import NIOCore

/// Where the fields of a request lie in its frame, which has been checked as JSON.
package struct Envelope: Sendable {
  private var method: Range<Int>?
  private var path: Field?
  private var data: Range<Int>?
  private var id: Range<Int>?
  private var headers: Range<Int>?
  /// Of the method, if it is written without escapes.
  private var plainMethod = Method.other

  private struct Field {
    let range: Range<Int>
    /// Whether it is a string that holds no escapes, so that what it says stands between its quotes.
    let isPlainString: Bool
  }

  /// Reads a frame in one pass: the whole of it is checked as JSON, and nothing is built.
  ///
  /// Of a field that is given twice the last one counts; fields that are not known are checked and passed over.
  /// - Parameters:
  ///   - frame: the bytes before the NUL.
  ///   - depth: how many arrays and objects may be open at once in a document.
  package init(of frame: ByteBuffer, depth: Int) throws(RequestError) {
    if let read = frame.withUnsafeReadableBytes({ Self.plainRead($0) }) {
      self = read
      return
    }
    let scan = frame.withUnsafeReadableBytes { Self.scan($0, depth: depth) }
    switch scan {
    case .failure(let error): throw RequestError(.json(error))
    case .success(nil): throw RequestError(.notAnObject)
    case .success(let envelope?): self = envelope
    }
  }

  private init() {}

  /// The headers of a request of which only the beginning is here; nil where they are not whole within it, or not as they
  /// must be.
  package static func headers(inBeginning frame: ByteBuffer, depth: Int) -> Headers? {
    let place = frame.withUnsafeReadableBytes { bytes -> Range<Int>? in
      var scanner = JSONScanner(bytes, maximumDepth: depth)
      scanner.skipWhitespace()
      guard var members = try? JSONMembers(of: scanner) else { return nil }
      var place: Range<Int>?
      while let member = try? members.next() {
        if case "headers" = KeyText(of: member.key, in: bytes) { place = member.value }
      }
      return place
    }
    return place.flatMap { Headers(json: frame.slice($0)) }
  }

  /// Where the path of a request stands that is a GET of it and has no other field, without its quotes; nil of other
  /// requests, and where the path has escapes.
  package var plainlyReadPath: Range<Int>? {
    guard plainMethod == .get, let path, path.isPlainString, data == nil, id == nil, headers == nil else { return nil }
    return path.range.dropFirst().dropLast()
  }

  /// The envelope of a GET of a path and no more, if it is written as programs write it: nearly all reads are, and to
  /// compare what is always the same takes less than half of the instructions of scanning it (callgrind).
  private static func plainRead(_ bytes: UnsafeRawBufferPointer) -> Envelope? {
    let head: StaticString = bytes.count > 10 && bytes[10] == UInt8(ascii: " ") ? spacedHead : compactHead
    let start = head.utf8CodeUnitCount
    guard bytes.count >= start + 2, UnsafeRawBufferPointer(rebasing: bytes[..<start]).isText(head),
      bytes[bytes.count - 1] == UInt8(ascii: "}"), bytes[bytes.count - 2] == UInt8(ascii: "\"")
    else { return nil }
    // Printable ASCII without quotes and backslashes stands for itself; other paths are scanned.
    for byte in bytes[start..<bytes.count - 2]
    where byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return nil }
    var envelope = Envelope()
    envelope.plainMethod = .get
    envelope.path = Field(range: start - 1..<bytes.count - 1, isPlainString: true)
    return envelope
  }

  private static let compactHead: StaticString = #"{"method":"GET","path":""#
  private static let spacedHead: StaticString = #"{"method": "GET", "path": ""#

  /// The envelope, or nil where the frame is JSON but no object.
  private static func scan(_ bytes: UnsafeRawBufferPointer, depth: Int) -> Result<Envelope?, JSONError> {
    var scanner = JSONScanner(bytes, maximumDepth: depth)
    do {
      scanner.skipWhitespace()
      guard scanner.next == UInt8(ascii: "{") else {
        _ = try scanner.skipValue()
        try scanner.finish()
        return .success(nil)
      }
      var envelope = Envelope()
      // The envelope does not count: each of its values may use the whole depth.
      var members = try JSONMembers(of: scanner)
      while let member = try members.next() {
        switch KeyText(of: member.key, in: bytes) {
        case "method": envelope.setMethod(member.value, in: bytes)
        case "path": envelope.setPath(member.value, in: bytes)
        case "data": envelope.data = member.value
        case "id": envelope.id = member.value
        case "headers": envelope.headers = member.value
        default: break
        }
      }
      try members.finish()
      return .success(envelope)
    } catch {
      return .failure(error)
    }
  }

  private mutating func setMethod(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) {
    method = range
    plainMethod =
      bytes[range.lowerBound] == UInt8(ascii: "\"")
      ? Method(UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound + 1..<range.upperBound - 1])) : .other
  }

  private mutating func setPath(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) {
    let text = UnsafeRawBufferPointer(rebasing: bytes[range])
    path = Field(
      range: range,
      isPlainString: text[0] == UInt8(ascii: "\"") && text.firstIndex(ofByte: UInt8(ascii: "\\")) == nil)
  }

  package func request(from frame: ByteBuffer) throws(RequestError) -> Request {
    let path = path.flatMap { path in
      path.isPlainString ? frame.slice(path.range.dropFirst().dropLast()) : frame.text(of: path.range)
    }
    let id = id.flatMap { frame.id(at: $0) }
    var parsedHeaders: Headers?
    if let headers {
      parsedHeaders = Headers(json: frame.slice(headers))
      if parsedHeaders == nil { throw RequestError(.headers, path: path, id: id) }
    }
    guard self.id == nil || id != nil else { throw RequestError(.id, path: path, headers: parsedHeaders) }
    guard let path else { throw RequestError(.path, id: id, headers: parsedHeaders) }
    guard let method = plainMethod == .other ? decodedMethod(in: frame) : plainMethod else {
      throw RequestError(.method, path: path, id: id, headers: parsedHeaders)
    }
    return Request(
      method: method, path: path, data: data.map { frame.slice($0) }, id: id, headers: parsedHeaders)
  }

  /// What a method is that is unknown or written with escapes; nil for what is no text.
  private func decodedMethod(in frame: ByteBuffer) -> Method? {
    method.flatMap { frame.text(of: $0) }?.withUnsafeReadableBytes { Method($0) }
  }
}
