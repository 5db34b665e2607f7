import DocketService
import DocketStore
import DocketWire
import NIOCore

/// What one connection is doing: which frames became requests, which of them have run, what may be sent.
///
/// It is a value, of which there are no copies, that knows neither sockets nor the store. Bytes and answers go in; requests to start and bytes to send
/// come out, answers in the order of their requests:
///
///     received ─→ FrameDecoder ─→ nextStep ─→ (the store) ─→ answer ─→ takeOutput
///
/// A request starts once it would see what it must: a write when only writes are unanswered, since the store keeps their
/// order, and these are few where much of all connections waits to be written; a read when nothing is, or, of one document, when all that are unanswered write others.
struct ConnectionState: ~Copyable {
  struct Start {
    let number: Int
    let operation: Operation
    /// The request's own.
    let id: ByteBuffer?
    let withHeaders: Bool
    /// If requests are logged and it was one.
    let request: RequestSummary?
  }

  /// What is to be done next.
  enum Step {
    case start(Start)
    /// A read with no answer due before it. If it is not answered at once, `take` takes it up like any other request.
    case lookUp(PlainRead)
  }

  enum AfterOutput: Equatable {
    case goOn
    case close
    /// Shut the sending side, and discard what the client still sends before closing.
    case linger
  }

  private struct WaitingRequest {
    let operation: Operation
    let answer: AnswerQueue.Entry
  }

  private let router: Router
  private let wireLimits: WireLimits
  private let bounds: ClientBounds
  private let logsRequests: Bool

  /// Whose requests these are.
  private var visitor: Visitor
  private var decoder: FrameDecoder
  private var session = SessionForm()
  private var inputHasEnded = false
  /// Whether the client may still be sending what nobody will read.
  private var leavesInput = false
  private var isFinishing = false
  /// Whether the session ends for no other reason than that the client sends no more. It may still read.
  private var endsWithInput = false

  private var answers: AnswerQueue
  /// A request that must wait for those before it.
  private var waiting: WaitingRequest?
  /// Whether much of all connections waits to be written; to be told before requests are run.
  var writesAreCrowded = false
  /// Whether the connection has watches, whose frames may come for as long as its client reads.
  private(set) var hasWatches = false

  init(
    router: Router, visitor: Visitor = Visitor(), wireLimits: WireLimits, limits: ServerLimits,
    logsRequests: Bool = false
  ) {
    self.router = router
    self.visitor = visitor
    self.wireLimits = wireLimits
    self.logsRequests = logsRequests
    bounds = ClientBounds(limits, wireLimits)
    answers = AnswerQueue(limits: limits, logsRequests: logsRequests)
    decoder = FrameDecoder(maximumFrameBytes: wireLimits.frameBytes)
    boundFrames()
  }

  /// How many frames have ended, so that it can be told whether the one that is on its way is still the same.
  private(set) var framesEnded = 0

  // MARK: What happens

  /// It has turned out from where the connection comes. Before anything is received.
  mutating func meet(_ visitor: Visitor) {
    self.visitor = visitor
    boundFrames()
  }

  mutating func watchDidBegin() { hasWatches = true }

  /// There is no watch any more.
  mutating func watchesDidEnd() { hasWatches = false }

  mutating func received(_ bytes: ByteBuffer) {
    guard session.phase != .ending else {
      leavesInput = true
      return
    }
    decoder.append(bytes)
  }

  /// The client has shut down its sending side; it still reads.
  mutating func inputEnded() {
    inputHasEnded = true
  }

  /// The frame that has begun took too long.
  mutating func frameTimedOut() {
    guard session.phase != .ending, waiting == nil else { return }
    let late = bounds.frameTooLate(ofStranger: visitor.isStranger)
    let (operation, answer) = refuseRest(.answer(late))
    waiting = WaitingRequest(operation: operation, answer: answer)
  }

  /// Nobody is left to answer. Where reading was held back, NIO reads all that the kernel still has when a client resets; of many that
  /// do so at once the loop closes one after the other, and what they had sent must not stay until its tick.
  mutating func abandon() { end() }

  /// The server is ending: what was received whole is still answered, and nothing else.
  mutating func finish() {
    isFinishing = true
    endsWithInput = false
  }

  /// Takes an answer: writes it where it is the first that is due and there is room, and keeps it otherwise.
  mutating func answer(_ number: Int, with response: Response, into output: inout ByteBuffer, log: AnswerQueue.Log) {
    answers.answer(number, with: response, into: &output, log: log)
  }

  /// A request is answered by what comes outside of the order of answers.
  mutating func answerElsewhere(_ number: Int) { answers.answerElsewhere(number) }

  // MARK: What to do

  /// The next request to run, if one may run now.
  mutating func nextStep() -> Step? {
    while true {
      if let waiting {
        guard mayStart(waiting.operation, waiting.answer) else { return nil }
        self.waiting = nil
        return .start(start(waiting.operation, waiting.answer))
      }
      guard session.phase != .ending, answers.hasRoom else { return nil }
      switch decoder.next() {
      case .frame(let frame):
        framesEnded += 1
        do throws(RequestError) {
          let envelope = try Envelope(of: frame, depth: wireLimits.depth)
          if session.phase == .persistent, answers.isEmpty, !logsRequests, let read = PlainRead(frame, envelope),
            read.withPath({ visitor.mayRead(atOnce: $0) })
          {
            return .lookUp(read)
          }
          if let start = take(frame, envelope) { return .start(start) }
        } catch {
          if let start = refuse(frame, error) { return .start(start) }
        }
      case .tooLong:
        if decoder.maximumFrameBytes < bounds.frameBytes {
          guard let refusal = meetEarly() else { continue }
          return refuse(refusal).map { .start($0) }
        }
        return refuse(.answer(bounds.frameTooLong)).map { .start($0) }
      case nil:
        return endOfInput().map { .start($0) }
      }
    }
  }

  /// Takes up a read that was not answered at once.
  mutating func take(_ read: PlainRead) -> Start? {
    take(read.frame, read.envelope)
  }

  /// Writes the answers that are due, as long as the output is below its bound, and says what becomes of the connection
  /// then.
  mutating func takeOutput(into output: inout ByteBuffer, log: AnswerQueue.Log) -> AfterOutput {
    answers.writeDue(into: &output, log: log)
    guard session.phase == .ending, answers.isEmpty, waiting == nil else { return .goOn }
    if hasWatches && endsWithInput { return .goOn }
    return leavesInput && !inputHasEnded ? .linger : .close
  }

  /// How many bytes were received of which nothing was made yet.
  var bufferedBytes: Int { decoder.bufferedBytes }

  /// Of the data of answers that wait for one before them.
  var heldBytes: Int { answers.heldBytes }

  /// Whether the client's further bytes are welcome now.
  var wantsInput: Bool {
    session.phase == .ending || (waiting == nil && answers.hasRoom) || decoder.bufferedBytes < 64 << 10
  }

  /// Whether nothing is under way: the connection waits for its client.
  var isIdle: Bool { answers.isEmpty && waiting == nil && !isReceivingFrame }

  /// Whether the client has nothing to wait for, so that its silence says that it has gone.
  var expectsClient: Bool { isIdle && !hasWatches }

  /// Whether the client has begun a frame and owes the rest of it.
  var isReceivingFrame: Bool {
    session.phase != .ending && waiting == nil && answers.hasRoom && decoder.holdsPartOfFrame
  }

  /// Whether the client has yet to show a token before it may do anything.
  var owesToken: Bool { visitor.owesToken }

  /// How long a frame may take, in seconds.
  var frameSeconds: Double { bounds.frameSeconds(ofStranger: visitor.isStranger) }

  /// How long the client may be silent, in seconds.
  var idleSeconds: Double { bounds.idleSeconds(ofStranger: visitor.isStranger) }

  // MARK: Requests

  /// Takes up a request: it may start, or waits for those before it, or was refused.
  private mutating func take(_ frame: ByteBuffer, _ envelope: Envelope) -> Start? {
    do throws(RequestError) {
      let request = try envelope.request(from: frame)
      if session.decide(by: request.headers) { end() }
      var operation = visitor.operation(for: request, by: router)
      boundFrames()
      if case .watch = operation, session.phase != .persistent { operation = .answer(.watchNeedsSession) }
      let kind = operation.kind
      return startOrWait(
        operation,
        AnswerQueue.Entry(
          request: logsRequests ? RequestSummary(request) : nil, kind: kind,
          document: kind == .write ? operation.document : nil, id: request.id, withHeaders: request.headers != nil,
          isTerminated: session.isTerminated, bytes: frame.readableBytes))
    } catch {
      return refuse(frame, error)
    }
  }

  private mutating func startOrWait(_ operation: Operation, _ answer: AnswerQueue.Entry) -> Start? {
    if mayStart(operation, answer) { return start(operation, answer) }
    waiting = WaitingRequest(operation: operation, answer: answer)
    return nil
  }

  private mutating func mayStart(_ operation: Operation, _ answer: AnswerQueue.Entry) -> Bool {
    answers.mayStart(operation, bytes: answer.bytes, writesAreCrowded: writesAreCrowded)
  }

  private mutating func start(_ operation: Operation, _ answer: AnswerQueue.Entry) -> Start {
    Start(
      number: answers.append(answer), operation: operation, id: answer.id, withHeaders: answer.withHeaders,
      request: answer.request)
  }

  /// What is known of the client says how long its frames may be.
  private mutating func boundFrames() {
    decoder.maximumFrameBytes = bounds.frameBytes(ofStranger: visitor.isStranger)
  }

  // MARK: What is no request

  /// A frame is longer than those of strangers may be. Its headers may have come already, and tell who it is.
  /// - Returns: what it is answered if not.
  private mutating func meetEarly() -> Operation? {
    let beginning = decoder.beginning(atMost: decoder.maximumFrameBytes)
    if let headers = Envelope.headers(inBeginning: beginning, depth: wireLimits.depth),
      let refusal = visitor.identify(by: headers)
    {
      return refusal
    }
    boundFrames()
    return visitor.isStranger ? .answer(bounds.strangersFrameTooLong) : nil
  }

  /// Answers a frame that is no request, in its place.
  private mutating func refuse(_ frame: ByteBuffer, _ error: RequestError) -> Start? {
    // A web page that makes a browser send something to this port must never get a second frame executed.
    if session.phase == .undecided { end() }
    let refusal =
      visitor.countWhatIsNoRequest() ?? .answer(error.response(onPersistentSession: session.isTerminated))
    return startOrWait(
      refusal, place(of: refusal, id: error.id, withHeaders: error.headers != nil, bytes: frame.readableBytes))
  }

  /// Answers in the place of a request that was not waited for, or never came whole, and ends the connection behind it.
  private mutating func refuse(_ refusal: Operation) -> Start? {
    let (operation, answer) = refuseRest(refusal)
    return startOrWait(operation, answer)
  }

  /// Ends the connection behind the answer to what is no request, which counts as one.
  /// - Returns: that answer, or what it is told where there were too many.
  private mutating func refuseRest(_ refusal: Operation) -> (Operation, AnswerQueue.Entry) {
    leavesInput = true
    end()
    let refusal = visitor.countWhatIsNoRequest() ?? refusal
    return (refusal, place(of: refusal))
  }

  private func place(
    of refusal: Operation, id: ByteBuffer? = nil, withHeaders: Bool = false, bytes: Int = 0
  ) -> AnswerQueue.Entry {
    AnswerQueue.Entry(
      request: nil, kind: refusal.kind, id: id, withHeaders: withHeaders, isTerminated: session.isTerminated,
      bytes: bytes)
  }

  // MARK: The end

  private mutating func end() {
    session.end()
    if decoder.bufferedBytes > 0 { leavesInput = true }
    decoder.discard()
  }

  /// No whole frame is left: if none can follow, the connection ends.
  /// - Returns: the answer to a frame that was cut off.
  private mutating func endOfInput() -> Start? {
    guard inputHasEnded || isFinishing else { return nil }
    guard inputHasEnded && decoder.holdsPartOfFrame else {
      end()
      endsWithInput = !isFinishing
      return nil
    }
    return refuse(
      .answer(
        .error(
          .badRequest, "incomplete_frame",
          "The request did not end with a NUL byte before the connection was shut down.")))
  }
}
