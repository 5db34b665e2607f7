import DequeModule
import DocketClient
import NIOCore

/// One connection of a bench. It lives on the bench's event loop.
final class BenchConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let run: BenchRun
  private let server: BenchServer
  private let isOneShot: Bool
  private var context: ChannelHandlerContext?
  private let dialect: BenchPlan.Dialect
  private var answers: BenchAnswers
  /// When the requests that are on their way were sent.
  private var starts: Deque<UInt64> = []
  private var isGreeted = false
  private var isClosing = false
  private var greeted: EventLoopPromise<Void>?
  private var reopen: (() -> Void)?

  init(run: BenchRun, plan: BenchPlan, server: BenchServer) {
    self.run = run
    self.server = server
    isOneShot = plan.workload == .oneShot
    dialect = plan.dialect
    answers = BenchAnswers(plan.dialect)
  }

  /// Opens the connection; the future tells when the server has answered on it.
  func open(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
    if isOneShot {
      reopen = { [unowned self] in connect(on: eventLoop) }
      return eventLoop.makeSucceededVoidFuture()
    }
    let promise = eventLoop.makePromise(of: Void.self)
    greeted = promise
    connect(on: eventLoop)
    return promise.futureResult
  }

  private func connect(on eventLoop: any EventLoop) {
    server.connect(self, on: eventLoop).assumeIsolated().whenFailure { [self] error in failed(.connecting(error)) }
  }

  private func failed(_ failure: CommandFailure) {
    if let greeted {
      self.greeted = nil
      greeted.fail(failure)
    } else {
      run.fail(failure)
    }
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    if isOneShot {
      context.writeAndFlush(wrapOutboundOut(oneShotRequest), promise: nil)
    } else {
      context.writeAndFlush(wrapOutboundOut(BenchRequests.greeting(dialect, server)), promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    answers.append(unwrapInboundIn(data))
    guard !isOneShot else { return }
    while let code = answers.next() {
      guard isGreeted else {
        guard code != 401 else { return failed(CommandFailure.tokenNotTaken) }
        isGreeted = true
        greeted?.succeed()
        greeted = nil
        continue
      }
      if let start = starts.popFirst() { run.answered(code: code, since: start) }
    }
    go()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    guard !isClosing else { return }
    guard isOneShot else {
      answers.append(ByteBuffer(integer: UInt8(0)))
      let refusal = answers.next().flatMap { $0 == 0 ? nil : " with \($0)" } ?? ""
      let hint = refusal == " with 503" ? "; it may have as many as it takes (--max-connections)" : ""
      return failed(CommandFailure("the server closed a connection\(refusal)\(hint)"))
    }
    // The end of the connection is the end of the answer.
    answers.append(ByteBuffer(integer: UInt8(0)))
    if let code = answers.next(), let start = starts.popFirst() { run.answered(code: code, since: start) }
    answers.discard()
    go()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let reason = CommandFailure.reasonOfTLS(error, context) {
      isClosing = true
      failed(CommandFailure("cannot connect: \(reason)"))
    }
    context.close(promise: nil)
  }

  private var oneShotRequest = ByteBuffer()

  /// Sends what is due.
  func go() {
    if isOneShot {
      guard context == nil, starts.isEmpty, !isClosing else { return }
      oneShotRequest.clear()
      guard let start = run.next(into: &oneShotRequest) else { return }
      starts.append(start)
      reopen?()
      return
    }
    guard let context, isGreeted else { return }
    var buffer = ByteBuffer()
    while starts.count < run.pipeline, let start = run.next(into: &buffer) { starts.append(start) }
    if buffer.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(buffer), promise: nil) }
  }

  func close() {
    isClosing = true
    reopen = nil
    context?.close(promise: nil)
  }
}
