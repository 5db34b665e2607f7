import DocketServer
import DocketService
import NIOCore

/// Ends a connection whose request takes too long from its first byte to its last, whose client does not take its answer, or says
/// nothing. It stands before the decoder.
final class ConnectionDeadlines: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData

  private let limits: HTTPLimits
  private let gate: Gate
  private let began = NIODeadline.now()
  /// When the request began that is under way; nil: none is.
  private var requestBegan: NIODeadline?
  private var requestTimer: Scheduled<Void>?

  private let requests: RequestGuard
  /// When the client last said something, or had waited for an answer.
  private var lastActivity = NIODeadline.now()
  /// How many requests were answered when that was looked at last.
  private var answered = 0
  /// When the client last took something of what it was sent, or had all of it.
  private var lastTaken = NIODeadline.now()
  private var writtenBytes = 0
  private var takenBytes = 0
  private var untakenBytes = 0
  private var silenceTimer: Scheduled<Void>?

  /// So many looks fall into the time for which a client may be silent: what it did is known no more exactly.
  private static let looks: Int64 = 8

  init(_ limits: HTTPLimits, _ gate: Gate, _ requests: RequestGuard) {
    self.limits = limits
    self.gate = gate
    self.requests = requests
  }

  func handlerAdded(context: ChannelHandlerContext) {
    listen(context)
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
    guard requests.ended != ended else { return }
    requestBegan = isEnd(unwrapInboundIn(data)) ? nil : now
    if requestBegan != nil, requestTimer == nil { wait(until: now + .fraction(ofSeconds: requestSeconds), context) }
  }

  /// Whether the end of a request is the end of what was read, so that nothing of another one has come. The decoder does not say what
  /// it holds; a head that is cut between two lines is taken for none, until more of it comes.
  private func isEnd(_ bytes: ByteBuffer) -> Bool {
    guard !requests.isReceiving else { return false }
    if bytes.getInteger(at: bytes.writerIndex - 1, as: UInt8.self) == 0x0A { return true }
    let end = requests.endOfBody
    return !end.isEmpty && bytes.readableBytesView.suffix(end.count).elementsEqual(end)
  }

  private var isStranger: Bool { !requests.progress.isOfSomebody && !gate.isOpen }

  private var requestSeconds: Double {
    isStranger ? min(limits.strangerRequestSeconds, limits.requestSeconds) : limits.requestSeconds
  }

  private var idleTime: TimeAmount {
    .fraction(ofSeconds: isStranger ? min(limits.strangerIdleSeconds, limits.idleSeconds) : limits.idleSeconds)
  }

  /// When the connection ends unless something is said, or taken by whoever has yet to take something; that of who owes a token,
  /// whatever is said.
  private var endOfSilence: NIODeadline {
    let silence = (untakenBytes > 0 ? lastTaken : lastActivity) + idleTime
    guard isStranger, gate.isForTokensOnly else { return silence }
    return min(silence, began + .fraction(ofSeconds: limits.strangerSeconds))
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

  private func listen(_ context: ChannelHandlerContext) {
    let nextLook = NIODeadline.now() + .nanoseconds(idleTime.nanoseconds / Self.looks)
    silenceTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(deadline: min(endOfSilence, nextLook))
    {
      [self] in
      noteAnswers(context)
      if endOfSilence <= .now() { context.close(promise: nil) } else { listen(context) }
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    writtenBytes += unwrapOutboundIn(data).readableBytes
    context.write(data, promise: promise)
  }

  /// Who waits for an answer has nothing to say. Who has one to take, and does not, may say what it will.
  private func noteAnswers(_ context: ChannelHandlerContext) {
    let now = NIODeadline.now()
    let isAnswered = requests.ended - requests.unanswered
    if requests.unanswered > 0 || isAnswered != answered { lastActivity = now }
    answered = isAnswered
    let hadAll = untakenBytes == 0
    untakenBytes = context.untakenBytes
    // With TLS more is untaken than was written here, and the difference grows with what is written: it looks like less taken.
    if hadAll || untakenBytes == 0 || writtenBytes - untakenBytes > takenBytes { lastTaken = now }
    takenBytes = writtenBytes - untakenBytes
  }
}

extension TimeAmount {
  static func fraction(ofSeconds seconds: Double) -> TimeAmount { .milliseconds(Int64(seconds * 1000)) }
}
