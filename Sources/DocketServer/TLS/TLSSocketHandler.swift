import NIOCore

/// Stands between TLS and the socket, and ends the connection where TLS does not know how to.
///
/// A handshake that fails ends with an alert that says why. To close the socket while the client still sends answers it with a
/// reset, which may overtake the alert; so what comes then is read and dropped for a moment.
final class TLSSocketHandler: ChannelInboundHandler, ChannelOutboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case handshake
    case session
    /// The alert is sent; nothing is taken any more.
    case lingering
    case closed
  }

  private static let lingerSeconds: Int64 = 1
  private var phase = Phase.handshake
  private var context: ChannelHandlerContext?
  private var end: Scheduled<Void>?
  private var inputHasEnded = false
  private var hasReceived = false

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func handshakeIsDone() {
    phase = .session
  }

  /// Closes the socket at once, whatever TLS waits for.
  func drop() {
    phase = .closed
    context?.close(promise: nil)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    switch (phase, mode) {
    case (.handshake, .all) where context.channel.isActive && !inputHasEnded: linger(context, promise)
    case (.lingering, _): promise?.succeed()
    default: context.close(mode: mode, promise: promise)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .lingering = phase { return }
    if !hasReceived {
      hasReceived = true
      if MistakenHTTP.begins(unwrapInboundIn(data)) { return refuseHTTP(context) }
    }
    context.fireChannelRead(data)
  }

  private func refuseHTTP(_ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(MistakenHTTP.withoutTLS.answer), promise: nil)
    context.fireErrorCaught(MistakenHTTP.withoutTLS)
    linger(context, nil)
  }

  private func linger(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    phase = .lingering
    context.close(mode: .output, promise: promise)
    end = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Self.lingerSeconds)) { self.drop() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed {
      inputHasEnded = true
      if case .lingering = phase { return drop() }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    phase = .closed
    end?.cancel()
    context.fireChannelInactive()
  }
}
