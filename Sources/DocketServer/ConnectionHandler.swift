import DequeModule
import DocketService
import DocketStore
import DocketWire
import NIOCore

/// Carries out on a socket what `ConnectionState` decides. It lives on its event loop.
final class ConnectionHandler: ChannelInboundHandler, ChannelOutboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case serving
    /// The last answer is on its way.
    case sendingLast
    /// The last answer is sent; what still comes is discarded, up to a bound in bytes and time.
    case lingering(bytesLeft: Int)
    case closed
  }

  private let loop: LoopContext
  private var state: ConnectionState
  private var phase = Phase.serving
  private var context: ChannelHandlerContext?
  private var socket: PlainSocket?
  /// What is to be sent at the end of the tick; without storage of its own between ticks.
  private var output = ByteBuffer()
  /// How many pieces the kernel did not take at once, which NIO has.
  private var piecesBehind = 0
  private var afterOutput = ConnectionState.AfterOutput.goOn
  private var inputHasEnded = false
  private var readIsHeldBack = false
  /// Whether the loop's next tick will call on this connection.
  var isQueued = false
  /// Whether a read was answered in this tick.
  private(set) var hasRead = false
  /// How much of the output each tick reaches to that was held back, oldest first.
  private var heldBytes = Deque<Int>()
  /// Ends the queries that run for this connection; made for the first of them.
  private var cancellation: QueryCancellation?
  /// Made for the first of them.
  private var watches: ConnectionWatches?

  // Times are counted in sweeps of the loop, so that no request pays for a clock.
  private var lastActivity: Int
  private var frameBegan: (sweep: Int, framesBefore: Int)?
  private var unsentBytes = 0

  init(loop: LoopContext) {
    self.loop = loop
    state = loop.makeConnectionState()
    lastActivity = loop.sweeps
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
    cancellation?.cancel()
    watches?.close()
    watches = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    switch phase {
    case .serving:
      lastActivity = loop.sweeps
      state.received(bytes)
      loop.enqueue(self)
    case .lingering(let left) where bytes.readableBytes <= left:
      phase = .lingering(bytesLeft: left - bytes.readableBytes)
    case .lingering: close(context)
    case .sendingLast, .closed: break
    }
  }

  func read(context: ChannelHandlerContext) {
    if case .serving = phase, !wantsInput(context) {
      readIsHeldBack = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { loop.enqueue(self) }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
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
  func runRequests() {
    guard case .serving = phase, let context else { return }
    if output.capacity == 0 { output = loop.outputBuffers.take() }
    requests: while afterOutput == .goOn, output.readableBytes < loop.limits.sendBufferBytes,
      piecesBehind == 0 || context.channel.isWritable
    {
      switch state.nextStep() {
      case .lookUp(let read):
        guard !read.withPath({ loop.service.answerAtOnce($0, into: &output) }) else {
          hasRead = true
          break
        }
        if let start = state.take(read) { perform(start) }
      case .start(let start): perform(start)
      case nil:
        // Answers that go out make room for requests that waited.
        if collectOutput() { continue } else { break requests }
      }
    }
    _ = collectOutput()
  }

  private func perform(_ start: ConnectionState.Start) {
    let number = start.number
    switch start.operation {
    case .watch(let request):
      guard !loop.isFinishing else { return take(.watchClosing, to: number) }
      guard let watches = ownWatches() else { return take(.watchNeedsSession, to: number) }
      // A refusal tells the newest revision.
      hasRead = true
      if let refusal = watches.open(request, id: start.id, newest: loop.service.session.newestRevision) {
        take(refusal, to: number)
      } else {
        state.answerElsewhere(number)
        state.watchDidBegin()
      }
      if inputHasEnded { probe() }
    case .endWatch(let name):
      take(watches?.end(named: name) ?? .noWatch(name), to: number)
      watchDidEnd()
    case .answerLater(let response, let milliseconds):
      loop.schedule(in: milliseconds) { [self] in take(response, to: number) }
    default:
      if start.operation.kind == .read { hasRead = true }
      loop.service.perform(start.operation, withHeaders: start.withHeaders, cancellation: queryCancellation()) {
        [self] response in take(response, to: number)
      }
    }
    _ = collectOutput()
  }

  private func ownWatches() -> ConnectionWatches? {
    if watches == nil {
      watches = loop.service.watchHub.map { ConnectionWatches(hub: $0, port: loop.watchPort, sink: self) }
    }
    return watches
  }

  private func queryCancellation() -> QueryCancellation {
    let cancellation = cancellation ?? QueryCancellation()
    self.cancellation = cancellation
    return cancellation
  }

  /// Takes the answer to a request: within `runRequests`, or later.
  private func take(_ response: Response, to number: Int) {
    if output.capacity == 0 { output = loop.outputBuffers.take() }
    state.answer(number, with: response, into: &output, log: loop.logRequest)
    loop.enqueue(self)
  }

  /// Ends a tick: sends what is due, unless it is held back. Behind the tick's snapshot, since it takes system calls.
  func flush() {
    isQueued = false
    hasRead = false
    guard case .serving = phase, let context else { return }
    let isFull = output.readableBytes >= loop.limits.sendBufferBytes
    if heldBytes.isEmpty {
      guard afterOutput == .goOn else {
        sendLast(context)
        return
      }
      send(output.readableBytes, context)
      if isFull && context.channel.isWritable { loop.enqueue(self) }
    }
    noteFrame()
    resumeReading(context)
  }

  /// Holds back what is to be sent, until `release`.
  func hold() {
    heldBytes.append(output.readableBytes)
  }

  /// Sends what was held back first.
  func release() {
    guard case .serving = phase, let context, let count = heldBytes.popFirst() else { return }
    for index in heldBytes.indices { heldBytes[index] -= count }
    send(count, context)
    // What came later, and what is to be done behind it.
    loop.enqueue(self)
  }

  /// Sends the last answer; the connection ends once it is in the kernel's hands, since closing drops what is not.
  private func sendLast(_ context: ChannelHandlerContext) {
    phase = .sendingLast
    send(output.readableBytes, context)
    if piecesBehind == 0, case .sendingLast = phase { endAfterLast(context) }
  }

  private func endAfterLast(_ context: ChannelHandlerContext) {
    if afterOutput == .linger && !inputHasEnded { linger(context) } else { close(context) }
  }

  /// Sends the first bytes of the output, and gives its buffer back if nothing is left; what the kernel does not take at
  /// once NIO gets.
  private func send(_ count: Int, _ context: ChannelHandlerContext) {
    let later = output.readableBytes - count
    if piecesBehind == 0, count > 0 { socket?.send(&output, atMost: count) }
    let rest = output.readableBytes - later
    if rest > 0, let piece = output.readSlice(length: rest) { pass(piece, context) }
    noteDrained()
    guard later == 0, output.capacity > 0 else { return }
    // Nothing else may refer to the memory that is given back.
    var done = ByteBuffer()
    swap(&done, &output)
    if piecesBehind == 0 { loop.outputBuffers.giveBack(done) }
  }

  /// Leaves to NIO what the kernel does not take at once.
  private func pass(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
    piecesBehind += 1
    context.write(wrapOutboundOut(piece)).assumeIsolatedUnsafeUnchecked().whenComplete { [self] _ in
      piecesBehind -= 1
      noteDrained()
      if piecesBehind == 0, case .sendingLast = phase, let context = self.context { endAfterLast(context) }
    }
    context.flush()
  }

  /// Tells watches that there is room for more of their frames, if so.
  private func noteDrained() {
    if piecesBehind == 0, output.readableBytes == 0 { watches?.drained() }
  }

  /// - Returns: whether there was anything to send.
  private func collectOutput() -> Bool {
    guard afterOutput == .goOn else { return false }
    let before = output.readableBytes
    afterOutput = state.takeOutput(into: &output, log: loop.logRequest)
    return output.readableBytes > before
  }

  /// Whether further bytes of the client are welcome: its requests can be taken, and its answers are not in the way.
  private func wantsInput(_ context: ChannelHandlerContext) -> Bool {
    state.wantsInput && context.channel.isWritable && output.readableBytes < loop.limits.sendBufferBytes
  }

  private func resumeReading(_ context: ChannelHandlerContext) {
    guard readIsHeldBack, wantsInput(context) else { return }
    readIsHeldBack = false
    context.read()
  }

  private func linger(_ context: ChannelHandlerContext) {
    phase = .lingering(bytesLeft: loop.limits.lingerBytes)
    lastActivity = loop.sweeps
    context.close(mode: .output, promise: nil)
    if readIsHeldBack { context.read() }
  }

  private func noteFrame() {
    if !state.isReceivingFrame || readIsHeldBack {
      frameBegan = nil
    } else if frameBegan?.framesBefore != state.framesEnded {
      frameBegan = (loop.sweeps, state.framesEnded)
    }
  }

  // MARK: Deadlines and the end

  /// Called at each sweep of the loop.
  func checkDeadlines() {
    guard let context else { return }
    switch phase {
    case .closed: break
    case .lingering:
      if loop.hasPassed(loop.limits.lingerSeconds, since: lastActivity) { close(context) }
    case .sendingLast:
      _ = noteSending(context)
      if loop.hasPassed(loop.limits.idleSeconds, since: lastActivity) { close(context) }
    case .serving:
      watches?.endForbidden(.invalidToken)
      let unsent = noteSending(context)
      if let frameBegan, loop.hasPassed(state.frameSeconds, since: frameBegan.sweep) {
        self.frameBegan = nil
        state.frameTimedOut()
        loop.enqueue(self)
      } else if (state.expectsClient || unsent > 0) && loop.hasPassed(state.idleSeconds, since: lastActivity) {
        close(context)
      } else if !state.isIdle && unsent == 0 {
        // The connection is waiting for the store, which is nothing its client could hurry.
        lastActivity = loop.sweeps
      }
    }
  }

  /// Counts answers that are being taken as activity, and returns how many bytes are not taken yet.
  private func noteSending(_ context: ChannelHandlerContext) -> Int {
    // Nothing is asked where NIO has nothing: a loop with thousands of silent connections does this for each, again and again.
    guard piecesBehind > 0 else {
      unsentBytes = 0
      return 0
    }
    let unsent = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    if unsent > 0 && unsent != unsentBytes { lastActivity = loop.sweeps }
    unsentBytes = unsent
    return unsent
  }

  /// The server is ending: answers what has been received, then closes.
  func finish() {
    switch phase {
    case .serving:
      watches?.endAll(.watchClosing)
      state.finish()
      loop.enqueue(self)
    case .sendingLast, .closed: break
    case .lingering: close()
    }
  }

  /// Ends the connection behind what is sent; of TLS the client's goodbye is waited for.
  private func close(_ context: ChannelHandlerContext) {
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

extension ConnectionHandler: WatchSink {
  /// Sends at once, outside of any tick: what goes to thousands of connections needs memory for one at a time.
  func sendFrames(_ write: (inout ByteBuffer) -> Void) {
    guard case .serving = phase, let context else {
      var nowhere = ByteBuffer()
      return write(&nowhere)
    }
    if output.capacity == 0 { output = loop.outputBuffers.take() }
    write(&output)
    guard heldBytes.isEmpty, afterOutput == .goOn, !isQueued else { return loop.enqueue(self) }
    send(output.readableBytes, context)
  }

  func sendShared(_ text: ByteBuffer) {
    guard case .serving = phase, let context, heldBytes.isEmpty, afterOutput == .goOn, !isQueued else {
      return sendFrames { $0.writeImmutableBuffer(text) }
    }
    send(output.readableBytes, context)
    var text = text
    if piecesBehind == 0 { socket?.send(&text, atMost: text.readableBytes) }
    if text.readableBytes > 0 { pass(text, context) }
  }

  /// Finds out whether a client that sends no more still reads: where it does not, its machine answers this with a reset. It is
  /// white space before the next frame.
  private func probe() {
    sendFrames { $0.writeStaticString(" ") }
  }

  func watchDidEnd() {
    if watches?.isEmpty != false { state.watchesDidEnd() }
    // From now on it may be silent for as long as any other.
    lastActivity = loop.sweeps
    loop.enqueue(self)
  }
}
