import DocketServer
import DocketService
import NIOCore

/// Ends a connection whose request takes too long from its first byte to its last, whose client does not take its answer, or says
/// nothing. It stands before the decoder.
final class ConnectionDeadlines: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let limits: HTTPLimits
  private let gate: Gate
  private let began = NIODeadline.now()
  /// When the request began that is under way; nil: none is.
  private var requestBegan: NIODeadline?
  private var requestTimer: Scheduled<Void>?

  private let requests: RequestGuard
  private var lastActivity = NIODeadline.now()
  private var silenceTimer: Scheduled<Void>?
  /// How much of answers the client had yet to take when that was looked at last.
  private var untakenBytes = 0

  /// How often it is looked whether answers are being taken that the kernel has not got yet.
  private static let lookSeconds = 0.25

  init(_ limits: HTTPLimits, _ gate: Gate, _ requests: RequestGuard) {
    self.limits = limits
    self.gate = gate
    self.requests = requests
  }

  func handlerAdded(context: ChannelHandlerContext) {
    listen(until: endOfSilence, context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    silenceTimer?.cancel()
    requestTimer?.cancel()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let now = NIODeadline.now()
    lastActivity = now
    // Empty lines in front of a request are nothing (RFC 9112, section 2.2).
    if requestBegan == nil, unwrapInboundIn(data).readableBytesView.contains(where: { $0 != 0x0D && $0 != 0x0A }) {
      requestBegan = now
      // One timer a connection: a request that is on time pays for none.
      if requestTimer == nil { wait(until: now + .fraction(ofSeconds: requestSeconds), context) }
    }
    let ended = requests.ended
    context.fireChannelRead(data)
    if requests.ended != ended { requestBegan = nil }
  }

  private var isStranger: Bool { !requests.progress.isOfSomebody && !gate.isOpen }

  private var requestSeconds: Double {
    isStranger ? min(limits.strangerRequestSeconds, limits.requestSeconds) : limits.requestSeconds
  }

  /// When the connection ends unless something is said; that of who owes a token, whatever is said.
  private var endOfSilence: NIODeadline {
    guard isStranger else { return lastActivity + .fraction(ofSeconds: limits.idleSeconds) }
    let silence = lastActivity + .fraction(ofSeconds: min(limits.strangerIdleSeconds, limits.idleSeconds))
    return gate.isForTokensOnly ? min(silence, began + .fraction(ofSeconds: limits.strangerSeconds)) : silence
  }

  private func wait(until deadline: NIODeadline, _ context: ChannelHandlerContext) {
    requestTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: deadline) { [self] in
      requestTimer = nil
      guard let requestBegan else { return }
      let end = requestBegan + .fraction(ofSeconds: requestSeconds)
      guard end <= .now() else { return wait(until: end, context) }
      requests.refuse(
        HTTPProblem(
          .requestTimeout, "request_timeout",
          "A request must arrive whole within \(requestSeconds) s (\(isStranger ? "before a token is known, --stranger-frame-timeout" : "--frame-timeout"))."
        ))
    }
  }

  private func listen(until deadline: NIODeadline, _ context: ChannelHandlerContext) {
    silenceTimer?.cancel()
    silenceTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: deadline) { [self] in
      noteAnswers(context)
      let end = endOfSilence
      if end <= .now() { return context.close(promise: nil) }
      listen(until: untakenBytes > 0 ? min(end, nextLook) : end, context)
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if !context.channel.isWritable {
      noteAnswers(context)
      listen(until: nextLook, context)
    }
    context.fireChannelWritabilityChanged()
  }

  private var nextLook: NIODeadline { .now() + .fraction(ofSeconds: Self.lookSeconds) }

  /// Who takes an answer, or waits for one, is not silent; who does not take it is.
  private func noteAnswers(_ context: ChannelHandlerContext) {
    let untaken = context.untakenBytes
    if untaken > 0 ? untaken != untakenBytes : requests.unanswered > 0 { lastActivity = .now() }
    untakenBytes = untaken
  }
}

extension TimeAmount {
  static func fraction(ofSeconds seconds: Double) -> TimeAmount { .milliseconds(Int64(seconds * 1000)) }
}
