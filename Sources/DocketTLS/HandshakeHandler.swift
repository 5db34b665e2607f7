import NIOCore
import NIOSSL
import NIOTLS

/// Stands behind a client's TLS, tells when the handshake is done, or why it was not, and steps aside.
package final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
  package typealias InboundIn = ByteBuffer

  /// A handshake that came to nothing, in words.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  private let deadline: NIODeadline
  private var promise: EventLoopPromise<Void>?
  private var timer: Scheduled<Void>?

  /// - Parameter promise: succeeds when the server is known to be the right one; fails with a `Failure`.
  package init(deadline: NIODeadline, promise: EventLoopPromise<Void>) {
    self.deadline = deadline
    self.promise = promise
  }

  package func handlerAdded(context: ChannelHandlerContext) {
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
      fail("timed out in the TLS handshake")
      context.close(promise: nil)
    }
  }

  package func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    fail("closed during the TLS handshake")
  }

  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted = event {
      timer?.cancel()
      promise?.succeed()
      promise = nil
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard promise != nil else { return context.fireErrorCaught(error) }
    let peer = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
    fail(TLSFailure.reason(error, peer: peer))
  }

  package func channelInactive(context: ChannelHandlerContext) {
    fail("the connection was closed during the TLS handshake")
    context.fireChannelInactive()
  }

  private func fail(_ reason: String) {
    timer?.cancel()
    promise?.fail(Failure(description: reason))
    promise = nil
  }
}
