import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// Sets up compression on a connection when a client says for the first time that it takes it: others have nothing of it, and
/// pay nothing.
final class Compression: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private let requests: RequestGuard
  private var isSetUp = false

  init(_ requests: RequestGuard) {
    self.requests = requests
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data), head.headers.contains(name: Self.request) else {
      return context.fireChannelRead(data)
    }
    // The compressor wants to see every request that is answered behind it, so one that comes while others are not answered
    // goes without: nobody is owed compression.
    if !isSetUp, requests.unanswered == 0 {
      isSetUp = true
      let compressor = HTTPResponseCompressor(responseCompressionPredicate: Self.isCompressed)
      do {
        try context.pipeline.syncOperations.addHandler(compressor, position: .after(self))
      } catch {
        return context.fireErrorCaught(error)
      }
    }
    if !Self.mayBeCompressed(head) {
      head.headers.remove(name: Self.request)
    } else if Self.takesGzip(head.headers) {
      // The compressor takes any of those that are wanted equally.
      head.headers.replaceOrAdd(name: Self.request, value: "gzip")
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  /// Whether anything in a request speaks for it; where nothing does, those behind see no header.
  private static func mayBeCompressed(_ head: HTTPRequestHead) -> Bool {
    // Of an answer to that there is no body to compress.
    guard head.method != .HEAD else { return false }
    // A long answer would end with the connection, which is to go on.
    if head.version == .http1_0, head.isKeepAlive { return false }
    return head.headers[canonicalForm: request].contains { item in
      let item = item.lowercased()
      return ["gzip", "x-gzip", "deflate", "*"].contains { item.hasPrefix($0) }
    }
  }

  /// Whether gzip is named, and not with a weight of 0 (RFC 9110, section 12.5.3).
  private static func takesGzip(_ headers: HTTPHeaders) -> Bool {
    headers[canonicalForm: request].contains { item in
      let parts = item.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
      guard parts.first == "gzip" else { return false }
      return !parts.dropFirst().contains {
        $0.hasPrefix("q=0") && $0.dropFirst(3).allSatisfy { $0 == "." || $0 == "0" }
      }
    }
  }

  private static let request = "accept-encoding"
  /// What is shorter is sent as it is.
  private static let compressedBytes = 1_024
  /// What is longer is compressed in pieces of this size, each in a turn of its own (`CompressionTurns`): about a millisecond.
  static let pieceBytes = 32 << 10

  private static func isCompressed(
    _ head: inout HTTPResponseHead, _ isSupported: Bool
  ) -> HTTPResponseCompressor.CompressionIntent {
    guard isSupported, !head.headers.contains(name: "content-encoding"),
      let length = head.headers["content-length"].first.flatMap({ Int($0) }), length >= compressedBytes
    else { return .doNotCompress }
    // The head goes before it is known how long the pieces come to be.
    if length > pieceBytes { head.headers.remove(name: "content-length") }
    return .compressIfPossible
  }
}

extension ByteBuffer {
  /// What of a body is compressed at once; nil behind its end.
  mutating func readPiece() -> ByteBuffer? {
    readableBytes > 0 ? readSlice(length: min(readableBytes, Compression.pieceBytes)) : nil
  }
}
