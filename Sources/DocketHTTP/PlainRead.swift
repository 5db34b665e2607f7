import DocketWire
import NIOCore
import NIOHTTP1

/// A read of one document without anything that is special: what is special about others the connection's task knows.
struct PlainRead: Sendable {
  let outline: RequestOutline
  let request: DocketWire.Request
  /// Otherwise it is a `HEAD`.
  let wantsBody: Bool

  /// nil: it is another request.
  init?(_ head: HTTPRequestHead) {
    guard head.method == .GET || head.method == .HEAD, Self.isDocument(head.uri) else { return nil }
    var host: String?
    var origin: String?
    var fetchSite: String?
    var id: String?
    var headers: [(name: String, value: String)] = []
    for (name, value) in head.headers {
      // Most mean nothing here: they are the client's, or a connection's.
      switch Field(name) {
      case nil: break
      case .host: host = value
      case .origin: origin = value
      case .fetchSite: fetchSite = value
      case .requestID: id = value
      case .native: headers.append((name, value))
      case .accept: if value.lowercased().contains("text/event-stream") { return nil }
      case .body: return nil
      }
    }
    outline = RequestOutline(
      method: head.method, target: head.uri, host: host, origin: origin, fetchSite: fetchSite, id: id)
    request = DocketWire.Request(method: .get, path: ByteBuffer(string: head.uri), headers: Headers(headers))
    wantsBody = head.method == .GET
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

  /// What a header is to a read.
  private enum Field {
    case host, origin, fetchSite, requestID, accept
    /// One that the native protocol has, too.
    case native
    /// Of a request that has a body, or wants another protocol.
    case body

    init?(_ name: String) {
      // Shorter and longer ones are none of these.
      guard (4...17).contains(name.utf8.count) else { return nil }
      switch name.lowercased() {
      case "host": self = .host
      case "origin": self = .origin
      case "sec-fetch-site": self = .fetchSite
      case "x-request-id": self = .requestID
      case "accept": self = .accept
      case "content-length", "transfer-encoding", "expect", "upgrade": self = .body
      case let name where Headers.known.contains(name): self = .native
      default: return nil
      }
    }
  }
}
