import DocketJSON
import DocketService
import DocketWire
import HTTPTypes
import NIOCore

/// HTTP's requests as those of the native protocol: the same methods, paths and headers; the body is `data`.
extension DocketWire.Request {
  /// - Parameters:
  ///   - body: what was sent.
  ///   - depth: how many arrays and objects may be open in it.
  init(_ head: HTTPRequest, body: ByteBuffer?, depth: Int) throws(RequestError) {
    self.init(
      method: head.method == .head ? .get : Method(rawValue: head.method.rawValue) ?? .other,
      path: ByteBuffer(string: head.nativePath), data: try Self.document(body, depth: depth),
      headers: Headers(head.headerFields))
  }

  /// The document that a body is; nil where it is nothing but white space.
  static func document(_ body: ByteBuffer?, depth: Int) throws(RequestError) -> ByteBuffer? {
    guard let data = body?.withoutOuterWhitespace, data.readableBytes > 0 else { return nil }
    do throws(JSONError) {
      try data.validate(depth: depth)
    } catch {
      throw RequestError(.json(error))
    }
    return data
  }
}

extension HTTPField.Name {
  fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID")!
}

extension HTTPRequest {
  /// The path and the query, as the native protocol takes them; of a stream of events with what asks for one.
  fileprivate var nativePath: String {
    let path = path ?? "/"
    let mark = path.firstIndex(of: "?") ?? path.endIndex
    var parameters = path[mark...].dropFirst().split(separator: "&").map(String.init)
    guard acceptsEvents || (method == .get && parameters.contains("watch=true")) else { return path }
    if !parameters.contains(where: { $0 == "watch" || $0.hasPrefix("watch=") }) { parameters.append("watch=true") }
    if let last = headerFields[.lastEventID], last.utf8.allSatisfy({ (0x30...0x39).contains($0) }), Int64(last) != nil {
      // It goes on where it was, however it began.
      parameters.removeAll { $0.hasPrefix("since=") || $0 == "snapshot" || $0.hasPrefix("snapshot=") }
      parameters.append("since=\(last)")
    }
    return path[..<mark] + "?" + parameters.joined(separator: "&")
  }

  private var acceptsEvents: Bool {
    method == .get && headerFields[.accept].map(EventStream.isAccepted) == true
  }
}

extension Headers {
  init(_ fields: HTTPFields) {
    self.init()
    for field in fields where Self.known.contains(field.name.canonicalName) {
      appendOfHTTP(field.name.rawName, field.value)
    }
  }

  /// Adds one of those that mean something here. A field may come in several lines, which are one value (RFC 9110, section 5.3):
  /// so the last one hides none of the others.
  mutating func appendOfHTTP(_ name: String, _ value: String) {
    guard let first = self[name] else { return append(name, value) }
    let others = fields.filter { $0.name.lowercased() != name.lowercased() }
    self = Headers(others.map { ($0.name, $0.value) } + [(name, first + ", " + value)])
  }

  /// In lower case.
  static let known: Set<String> = [
    "authorization", "if-match", "if-none-match", "expires-in", "idempotency-key", "prefer",
  ]
}

extension ByteBuffer {
  fileprivate var withoutOuterWhitespace: ByteBuffer {
    let view = readableBytesView
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
    guard let start = view.firstIndex(where: { !isSpace($0) }), let end = view.lastIndex(where: { !isSpace($0) }) else {
      return ByteBuffer()
    }
    return getSlice(at: start, length: end - start + 1) ?? ByteBuffer()
  }

  fileprivate func validate(depth: Int) throws(JSONError) {
    let result = withUnsafeReadableBytes { bytes in
      Result { () throws(JSONError) in try JSONScanner.validate(bytes, maximumDepth: depth) }
    }
    try result.get()
  }
}
