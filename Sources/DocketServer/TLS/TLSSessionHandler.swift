import DocketTLS
import NIOCore
import NIOSSL
import NIOTLS

/// Ends a connection without a goodbye, over whatever it goes: an outbound event. Where there is no TLS nobody heeds it.
struct ConnectionDrop: Sendable {}

/// Stands between TLS and the connection's handler: sees that handshakes end, and that connections do.
///
/// A client may end its sending by a close_notify, by a FIN, or by both. A FIN alone may come from anybody on the way; but a
/// request that has come whole, its NUL included, is a request, and one that has not is answered so. So both count alike.
///
/// NIOSSL answers a close by a close_notify and waits for the client's, for as long as it was told; it does not see that a FIN
/// says as much.
final class TLSSessionHandler: ChannelInboundHandler, ChannelOutboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let socket: TLSSocketHandler
  private let handshakeSeconds: Double
  private let report: (String) -> Void
  private var deadline: Scheduled<Void>?
  private var handshakeIsDone = false
  private var inputHasEnded = false
  private var isClosing = false

  /// A record's worth. NIOSSL keeps the memory of its largest piece for the life of the connection: a connection kept 85 kB
  /// behind an answer of 1 MB, and 180 kB with pieces of 64 KiB.
  private static let pieceBytes = 16 << 10

  /// - Parameter report: is told in a line why a handshake came to nothing.
  init(_ socket: TLSSocketHandler, handshakeSeconds: Double, report: @escaping (String) -> Void) {
    self.socket = socket
    self.handshakeSeconds = handshakeSeconds
    self.report = report
  }

  func handlerAdded(context: ChannelHandlerContext) {
    // From the beginning of the connection, however the bytes of the handshake drip.
    deadline = context.eventLoop.assumeIsolated().scheduleTask(
      in: .milliseconds(Int64(handshakeSeconds * 1000))
    ) { [self] in
      failed("it was not done within \(handshakeSeconds) s (--tls-handshake-timeout)", context)
      socket.drop()
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case TLSUserEvent.handshakeCompleted:
      handshakeIsDone = true
      deadline?.cancel()
      socket.handshakeIsDone()
    case TLSUserEvent.shutdownCompleted: break
    case ChannelEvent.inputClosed:
      inputHasEnded = true
      if isClosing { soon(context) { self.socket.drop() } } else { context.fireUserInboundEventTriggered(event) }
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The end of the input follows, or that of the connection.
    if case NIOSSLError.uncleanShutdown = error { return }
    guard handshakeIsDone else {
      let peer = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
      return failed(TLSFailure.reasonAtServer(error, peer: peer), context)
    }
    context.fireErrorCaught(error)
  }

  private func failed(_ reason: String, _ context: ChannelHandlerContext) {
    guard deadline != nil else { return }
    deadline?.cancel()
    deadline = nil
    let peer = context.remoteAddress
    report("a TLS handshake with \(peer?.ipAddress ?? "a client") port \(peer?.port ?? 0) failed: \(reason)")
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    var rest = unwrapOutboundIn(data)
    while rest.readableBytes > Self.pieceBytes, let piece = rest.readSlice(length: Self.pieceBytes) {
      context.writeAndFlush(wrapOutboundOut(piece), promise: nil)
    }
    context.write(wrapOutboundOut(rest), promise: promise)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all else { return context.close(mode: mode, promise: promise) }
    isClosing = true
    soon(context) { [self] in
      if handshakeIsDone { context.close(promise: promise) } else { promise?.succeed() }
      if inputHasEnded || !handshakeIsDone { soon(context) { self.socket.drop() } }
    }
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard event is ConnectionDrop else { return context.triggerUserOutboundEvent(event, promise: promise) }
    soon(context) { [self] in soon(context) { self.socket.drop() } }
    promise?.succeed()
  }

  /// Does something when the present work of the event loop is done. What has led here may be a write that is told of its end, and
  /// NIO drops what is written then, the goodbye say, if the channel is closed before it is done with that write.
  private func soon(_ context: ChannelHandlerContext, _ body: @escaping () -> Void) {
    context.eventLoop.assumeIsolated().execute(body)
  }
}
