import NIOCore

/// HTTP that has come to where something else is spoken: to a native port, or without TLS to a port that wants it. Whoever tries
/// a server with a browser or curl is told so, and not left with a connection that ends.
enum MistakenHTTP: Error, CustomStringConvertible {
  case toNativePort
  case withoutTLS

  /// Whether the first bytes of a connection begin a request of HTTP. No frame begins so, and no handshake.
  static func begins(_ bytes: ByteBuffer) -> Bool {
    let bytes = bytes.readableBytesView
    guard let first = bytes.first, first != UInt8(ascii: "{"), let space = bytes.prefix(8).firstIndex(of: 0x20),
      space + 1 < bytes.endIndex
    else { return false }
    return methods.contains(String(decoding: bytes[..<space], as: UTF8.self))
      && (bytes[space + 1] == UInt8(ascii: "/") || bytes[space + 1] == UInt8(ascii: "*"))
  }

  private static let methods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

  var description: String {
    switch self {
    case .toNativePort: "the client speaks HTTP to the native port"
    case .withoutTLS: "the client speaks HTTP without TLS"
    }
  }

  /// As HTTP (RFC 9112), the connection's last words.
  var answer: ByteBuffer {
    let detail =
      switch self {
      case .toNativePort:
        "This is the native port, which takes JSON that ends with a NUL byte; HTTP is spoken on the port of docket serve --http-port."
      case .withoutTLS: "This port speaks TLS; ask for https://."
      }
    let body =
      #"{"type": "about:blank", "title": "Bad Request", "status": 400, "error": "wrong_port", "detail": "\#(detail)"}"#
      + "\n"
    return ByteBuffer(
      string:
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    )
  }
}
