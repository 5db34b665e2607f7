import DocketService
import DocketStore
import DocketWire
import NIOCore

/// Carries out on a socket what `ConnectionState` decides. It lives on its event loop.
final class ConnectionHandler: ChannelInboundHandler, ChannelOutboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase {
    case serving
    /// The last answer is on its way.
    case sendingLast
    /// The last answer is sent; what still comes is discarded, up to a bound in bytes and time. To close with input that is unread
    /// would cost the client what it has yet to take (RFC 9293, 3.6.1), so beyond the bytes nothing is read any more.
    case lingering(bytesLeft: Int)
    case closed
  }

  let loop: LoopContext
  let admission: Admission
  var state: ConnectionState
  private(set) var phase = Phase.serving
  private(set) var context: ChannelHandlerContext?
  private(set) var socket: PlainSocket?
  var output = ConnectionOutput()
  private(set) var afterOutput = ConnectionState.AfterOutput.goOn
  private(set) var inputHasEnded = false
  private var hasReceived = false
  private var readIsHeldBack = false
  /// Whether the loop's next tick will call on this connection.
  var isQueued = false
  /// Whether a tick has ended before its turn: until then no more is read.
  var isLeftBehind = false
  /// How much of what a client has sent one tick takes up, so that those who send without end do not keep others waiting for
  /// all that they may send ahead.
  private static let bytesOfTurn = 64 << 10
  /// The beginning of a watch counts as so many bytes: it takes some 25 µs, where a plain request takes two or three, and is work
  /// for the feeds as well.
  static let bytesOfWatch = 16 << 10
  /// What was taken up of this turn beside what was received.
  var takenBytes = 0
  /// Whether this tick has left requests for the next one, or may have. No more are read meanwhile.
  private var leavesRequests = false
  /// How much of what it has to send is noted in the room of all answers.
  var notedBytes = 0
  /// Whether it was not served for want of that room, though there may be requests.
  private(set) var waitsForRoom = false
  /// Whether a read was answered in this tick.
  var hasRead = false
  var deadlines: ConnectionDeadlines
  /// The sweep that looks at the deadlines next; nil where there is none, or it has begun to.
  var nextLook: Int?
  /// Whether the sweep that has begun has yet to look at it.
  var isUnswept = false
  /// Ends the queries that run for this connection; made for the first of them.
  private var cancellation: QueryCancellation?
  /// Made for the first of them.
  var watches: ConnectionWatches?
  /// Set as long as it owes a token.
  var stranger: Stranger?

  init(loop: LoopContext, admission: Admission) {
    self.loop = loop
    self.admission = admission
    state = loop.makeConnectionState()
    deadlines = ConnectionDeadlines(at: loop.sweeps)
  }

  /// For the log, like `127.0.0.1:50112`; `local` for a Unix socket.
  var peerDescription: String {
    guard let address = context?.channel.remoteAddress else { return "closed" }
    guard let name = address.ipAddress, let port = address.port else { return "local" }
    return ListenAddress.tcp(host: name, port: port).description
  }

  // MARK: Events of the channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    socket = PlainSocket(context)
    loop.add(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    self.context = nil
    socket = nil
    loop.remove(self)
  }

  func channelActive(context: ChannelHandlerContext) {
    state.meet(loop.visitor(on: context.channel))
    noteStanding()
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    loop.remove(self)
    context.fireChannelInactive()
  }

  /// Nobody is left to be told anything.
  private func end() {
    phase = .closed
    state.abandon()
    forgetStranger()
    cancellation?.cancel()
    watches?.close()
    watches = nil
    noteUnsent()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    switch phase {
    case .serving:
      deadlines.noteActivity(at: loop.sweeps)
      if !hasReceived {
        hasReceived = true
        if MistakenHTTP.begins(bytes) { return refuseHTTP(context) }
      }
      // When a client resets, NIO reads all that the kernel still has, which would be for nothing.
      if state.bufferedBytes > Self.bytesOfTurn, context.connectionIsReset { return close() }
      state.received(bytes)
      loop.enqueue(self)
    case .lingering(let left): phase = .lingering(bytesLeft: left - bytes.readableBytes)
    case .sendingLast, .closed: break
    }
  }

  private func refuseHTTP(_ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(MistakenHTTP.toNativePort.answer), promise: nil)
    linger(context)
  }

  func read(context: ChannelHandlerContext) {
    let isWanted =
      switch phase {
      case .serving: wantsInput(context)
      case .lingering(let left): left >= 0
      case .sendingLast, .closed: true
      }
    if isWanted { context.read() } else { readIsHeldBack = true }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { loop.enqueue(self) }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is PlaceIsWanted { return giveWay() }
    guard let event = event as? ChannelEvent, event == .inputClosed else {
      context.fireUserInboundEventTriggered(event)
      return
    }
    inputHasEnded = true
    switch phase {
    case .serving:
      state.inputEnded()
      if state.hasWatches { probe() }
      loop.enqueue(self)
    case .lingering: close(context)
    case .sendingLast, .closed: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset, most often: there is nobody left to answer.
    close()
  }

  // MARK: The loop's tick

  /// Runs the requests that may run. Within a tick of the session.
  /// - Returns: how many bytes they had, and those beside them that they have taken up.
  func runRequests() -> Int {
    isLeftBehind = false
    takenBytes = 0
    guard case .serving = phase, let context else { return 0 }
    let answers = loop.store.answers
    let documentBytes = answers.documentBytes
    // Who has not taken what there is gets no more then.
    waitsForRoom = answers.isFull && output.unsentBytes > 0
    leavesRequests = false
    guard !waitsForRoom else { return 0 }
    state.writesAreCrowded = loop.service.session.writesAreCrowded
    output.begin(&loop.outputBuffers)
    let before = state.bufferedBytes
    let enough = before - Self.bytesOfTurn
    leavesRequests = true
    requests: while afterOutput == .goOn, output.buffer.readableBytes < loop.limits.sendBufferBytes,
      output.piecesBehind == 0 || context.channel.isWritable
    {
      guard state.bufferedBytes - takenBytes > enough else { break requests }
      switch state.nextStep() {
      case .lookUp(let read):
        let isAnswered = read.withPath { loop.service.answerAtOnce($0, atMost: documentBytes, into: &output.buffer) }
        guard !isAnswered else {
          hasRead = true
          loop.tally.readsAtOnce &+= 1
          break
        }
        if let start = state.take(read) { perform(start) }
      case .start(let start):
        if let refusal = answers.refusal(of: start.operation) { refuse(start, refusal) } else { perform(start) }
        state.writesAreCrowded = loop.service.session.writesAreCrowded
      case nil:
        // Answers that go out make room for requests that waited.
        if collectOutput() { continue }
        leavesRequests = false
        break requests
      }
    }
    _ = collectOutput()
    noteUnsent()
    return before - state.bufferedBytes + takenBytes
  }

  private func perform(_ start: ConnectionState.Start) {
    let number = start.number
    switch start.operation {
    case .watch(let request): beginWatch(request, start)
    case .endWatch(let name): endWatch(named: name, number)
    case .answerLater(let response, let milliseconds):
      // That it is told late says nothing of the server.
      loop.tally.addInTick(.other, RequestOutcome(response.status))
      loop.schedule(in: milliseconds) { [self] in take(response, to: number) }
    default:
      if start.operation.kind == .read { hasRead = true }
      let (kind, began, request) = (start.operation.requestKind, loop.moment, start.request)
      loop.service.perform(start.operation, withHeaders: start.withHeaders, cancellation: queryCancellation()) {
        [self] response in
        let response = loop.store.answers.admitted(response, to: start.operation)
        loop.count(kind, response, since: began, request, on: self)
        take(response, to: number)
      }
    }
    _ = collectOutput()
  }

  private func queryCancellation() -> QueryCancellation {
    let cancellation = cancellation ?? QueryCancellation()
    self.cancellation = cancellation
    return cancellation
  }

  /// Takes the answer to a request: within `runRequests`, or later.
  func take(_ response: Response, to number: Int) {
    output.begin(&loop.outputBuffers)
    state.answer(number, with: response, into: &output.buffer, log: loop.logRequest)
    noteUnsent()
    loop.enqueue(self)
  }

  /// Ends a tick: sends what is due, unless it is held back. Behind the tick's snapshot, since it takes system calls.
  func flush() {
    isQueued = false
    hasRead = false
    defer { bookLook() }
    // Whoever owes nothing is looked at by sweeps alone.
    if stranger != nil { noteStanding() }
    guard case .serving = phase, let context else { return }
    let isFull = output.buffer.readableBytes >= loop.limits.sendBufferBytes
    if !output.isHeld {
      guard afterOutput == .goOn else {
        sendLast(context)
        return
      }
      send(output.buffer.readableBytes, context)
      let mayGoOn = isFull || leavesRequests || (waitsForRoom && output.unsentBytes == 0)
      if mayGoOn && context.channel.isWritable { loop.enqueue(self) }
    }
    noteFrame()
    endLateFrame()
    resumeReading(context)
  }

  /// Sends the last answer; the connection ends once it is in the kernel's hands, since closing drops what is not.
  private func sendLast(_ context: ChannelHandlerContext) {
    phase = .sendingLast
    send(output.buffer.readableBytes, context)
    if output.piecesBehind == 0, case .sendingLast = phase { endAfterLast(context) }
  }

  func endAfterLast(_ context: ChannelHandlerContext) {
    if afterOutput == .linger && !inputHasEnded { linger(context) } else { close(context) }
  }

  /// - Returns: whether there was anything to send.
  private func collectOutput() -> Bool {
    guard afterOutput == .goOn else { return false }
    let before = output.buffer.readableBytes
    afterOutput = state.takeOutput(into: &output.buffer, log: loop.logRequest)
    return output.buffer.readableBytes > before
  }

  /// Whether further bytes of the client are welcome: its requests can be taken, and neither those that have come nor its answers
  /// are in the way.
  private func wantsInput(_ context: ChannelHandlerContext) -> Bool {
    state.wantsInput && !isLeftBehind && !leavesRequests && !waitsForRoom && context.channel.isWritable
      && output.buffer.readableBytes < loop.limits.sendBufferBytes
  }

  private func resumeReading(_ context: ChannelHandlerContext) {
    guard readIsHeldBack, wantsInput(context) else { return }
    readIsHeldBack = false
    context.read()
  }

  private func linger(_ context: ChannelHandlerContext) {
    phase = .lingering(bytesLeft: loop.limits.lingerBytes)
    deadlines.noteActivity(at: loop.sweeps)
    bookLook()
    context.close(mode: .output, promise: nil)
    if readIsHeldBack { context.read() }
  }

  private func noteFrame() {
    if state.isReceivingFrame && !readIsHeldBack && !leavesRequests && !waitsForRoom {
      deadlines.noteFrame(framesEnded: state.framesEnded, at: loop.sweeps)
    } else {
      deadlines.forgetFrame()
    }
  }

  // MARK: The end

  /// The server is ending: answers what has been received, then closes.
  func finish() {
    switch phase {
    case .serving:
      watches?.endAll(.watchClosing)
      state.finish()
      loop.enqueue(self)
    case .sendingLast, .closed: break
    case .lingering:
      if context?.unacknowledgedBytes == 0 { close() }
    }
  }

  /// Ends the connection behind what is sent; of TLS the client's goodbye is waited for.
  func close(_ context: ChannelHandlerContext) {
    end()
    if readIsHeldBack { context.read() }
    context.close(promise: nil)
    // A client that is asleep says no goodbye, and the end of the server does not wait for it.
    if loop.isFinishing { close() }
  }

  /// Ends the connection at once.
  func close() {
    guard let context else { return }
    end()
    context.triggerUserOutboundEvent(ConnectionDrop(), promise: nil)
    context.close(promise: nil)
  }
}
