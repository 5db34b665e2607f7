import DocketWire
import NIOCore
import NIOHTTP1

/// A request for one document without anything that is special: what is special about others the connection's task knows.
struct PlainRequest: Sendable {
  let outline: RequestOutline
  /// What has come of its body.
  var body: ByteBuffer?
  /// Whether its answer may be compressed.
  let takesCompression: Bool
  private let method: Method
  private let headers: Headers

  /// Whether its answer has a body.
  var wantsBody: Bool { outline.method != "HEAD" }
  /// As of every HTTP request (`HTTPRequest.storesBody`).
  var storesBody: Bool { method == .put }

  /// - Parameter bodyBytes: of a body that is longer, or has no length, the task takes care.
  /// - Returns: nil: it is another request.
  init?(_ head: HTTPRequestHead, bodyBytes limit: Int) {
    switch head.method {
    case .GET, .HEAD: method = .get
    case .PUT: method = .put
    case .PATCH: method = .patch
    case .DELETE: method = .delete
    default: return nil
    }
    guard Self.isDocument(head.uri) else { return nil }
    var host: String?
    var origin: String?
    var fetchSite: String?
    var fetchMode: String?
    var id: String?
    var takesCompression = false
    var headers = Headers()
    for (name, value) in head.headers {
      // Most mean nothing here: they are the client's, or a connection's.
      switch Field(name) {
      case nil: break
      case .host: host = value
      case .origin: origin = value
      case .fetchSite: fetchSite = value
      case .fetchMode: fetchMode = value
      case .requestID: id = value
      case .native: headers.appendOfHTTP(name, value)
      case .acceptEncoding: takesCompression = true
      case .accept: if EventStream.isAccepted(value) { return nil }
      case .length:
        guard method == .put || method == .patch, let length = Int(value), length <= limit else { return nil }
      case .special: return nil
      }
    }
    outline = RequestOutline(
      method: head.method, target: head.uri, host: host, origin: origin, fetchSite: fetchSite, fetchMode: fetchMode,
      id: id)
    self.takesCompression = takesCompression
    self.headers = headers
  }

  /// It as the native protocol has it, once it has come whole.
  /// - Parameter depth: how many arrays and objects may be open in its body.
  func native(depth: Int) throws(RequestError) -> DocketWire.Request {
    DocketWire.Request(
      method: method, path: ByteBuffer(string: outline.target ?? "/"),
      data: try DocketWire.Request.document(body, depth: depth), headers: headers)
  }

  /// Whether it may name a document, and asks nothing of it.
  private static func isDocument(_ target: String) -> Bool {
    var slashes = 0
    var last: UInt8 = 0
    for byte in target.utf8 {
      if byte == UInt8(ascii: "/") { slashes += 1 }
      // A path that is the service's own; a query string.
      if last == 0, byte != UInt8(ascii: "/") { return false }
      if byte == UInt8(ascii: "?") || (byte == UInt8(ascii: "_") && last == UInt8(ascii: "/") && slashes == 1) {
        return false
      }
      last = byte
    }
    return slashes >= 2 && last != UInt8(ascii: "/")
  }

  /// What a header is to such a request.
  private enum Field {
    case host, origin, fetchSite, fetchMode, requestID, accept, acceptEncoding, length
    /// One that the native protocol has, too.
    case native
    case special

    init?(_ name: String) {
      // Shorter and longer ones are none of these.
      guard (4...19).contains(name.utf8.count) else { return nil }
      switch name.lowercased() {
      case "host": self = .host
      case "origin": self = .origin
      case "sec-fetch-site": self = .fetchSite
      case "sec-fetch-mode": self = .fetchMode
      case "x-request-id": self = .requestID
      case "accept": self = .accept
      case "accept-encoding": self = .acceptEncoding
      case "content-length": self = .length
      case "transfer-encoding", "content-encoding", "if-unmodified-since", "expect", "upgrade": self = .special
      case let name where Headers.known.contains(name): self = .native
      default: return nil
      }
    }
  }
}
