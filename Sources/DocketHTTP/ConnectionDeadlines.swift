import NIOCore

/// Ends a connection whose request takes too long from its first byte to its last, whose client does not take its answer, or says
/// nothing. It stands before the decoder.
final class ConnectionDeadlines: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let limits: HTTPLimits
  /// When the request began that is under way; nil: none is.
  private var requestBegan: NIODeadline?
  private var requestTimer: Scheduled<Void>?
  private var isOver = false
  private var answerTimer: Scheduled<Void>?

  private let requests: RequestGuard
  private var lastActivity = NIODeadline.now()
  private var silenceTimer: Scheduled<Void>?

  init(_ limits: HTTPLimits, _ requests: RequestGuard) {
    self.limits = limits
    self.requests = requests
  }

  func handlerAdded(context: ChannelHandlerContext) {
    listen(until: .now() + .fraction(ofSeconds: limits.idleSeconds), context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    silenceTimer?.cancel()
    requestTimer?.cancel()
    answerTimer?.cancel()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return }
    let now = NIODeadline.now()
    lastActivity = now
    if requestBegan == nil {
      requestBegan = now
      // One timer a connection: a request that is on time pays for none.
      if requestTimer == nil { wait(until: now + .fraction(ofSeconds: limits.requestSeconds), context) }
    }
    let ended = requests.ended
    context.fireChannelRead(data)
    if requests.ended != ended { requestBegan = nil }
  }

  private func wait(until deadline: NIODeadline, _ context: ChannelHandlerContext) {
    requestTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: deadline) { [self] in
      requestTimer = nil
      guard let requestBegan else { return }
      let end = requestBegan + .fraction(ofSeconds: limits.requestSeconds)
      if end <= .now() { refuse(context) } else { wait(until: end, context) }
    }
  }

  private func listen(until deadline: NIODeadline, _ context: ChannelHandlerContext) {
    silenceTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: deadline) { [self] in
      // Who waits for an answer has nothing to say.
      if requests.unanswered > 0 { lastActivity = .now() }
      let end = lastActivity + .fraction(ofSeconds: limits.idleSeconds)
      if end <= .now() { context.close(promise: nil) } else { listen(until: end, context) }
    }
  }

  private func refuse(_ context: ChannelHandlerContext) {
    let problem = HTTPProblem(
      .requestTimeout, "request_timeout",
      "A request must arrive whole within \(limits.requestSeconds) s (--frame-timeout).")
    let body = problem.text
    var text = ByteBuffer(
      string:
        "HTTP/1.1 408 Request Timeout\r\nContent-Type: \(HTTPAnswer.problemType)\r\nContent-Length: \(body.readableBytes)\r\nConnection: close\r\n\r\n"
    )
    text.writeImmutableBuffer(body)
    let channel = context.channel
    context.writeAndFlush(NIOAny(text), promise: nil)
    context.close(mode: .output, promise: nil)
    // What still comes is dropped for a moment, so that no reset overtakes the answer.
    isOver = true
    context.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    answerTimer?.cancel()
    answerTimer = nil
    if !context.channel.isWritable {
      let channel = context.channel
      answerTimer = context.eventLoop.scheduleTask(in: .fraction(ofSeconds: limits.idleSeconds)) {
        channel.close(promise: nil)
      }
    }
    context.fireChannelWritabilityChanged()
  }
}

extension TimeAmount {
  static func fraction(ofSeconds seconds: Double) -> TimeAmount { .milliseconds(Int64(seconds * 1000)) }
}
