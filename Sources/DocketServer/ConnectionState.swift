import DequeModule
import DocketService
import DocketStore
import DocketWire
import NIOCore

/// What one connection is doing: which frames became requests, which of them have run, what may be sent.
///
/// It is a value, of which there are no copies, that knows neither sockets nor the store. Bytes and answers go in; requests to start and bytes to send
/// come out, answers in the order of their requests:
///
///     received ─→ FrameDecoder ─→ nextStart ─→ (the store) ─→ answer ─→ takeOutput
///
/// A request starts once it would see what it must: a write when only writes are unanswered, since the store keeps their
/// order; a read when nothing is, or, of one document, when all that are unanswered write others.
struct ConnectionState: ~Copyable {
  struct Start {
    let number: Int
    let operation: Operation
    /// The request's own.
    let id: ByteBuffer?
    let withHeaders: Bool
  }

  /// What is to be done next.
  enum Step {
    case start(Start)
    /// A read with no answer due before it. If it is not answered at once, `take` takes it up like any other request.
    case lookUp(PlainRead)
  }

  /// A GET of a path, and no more.
  struct PlainRead {
    fileprivate let frame: ByteBuffer
    fileprivate let envelope: Envelope
    private let path: Range<Int>

    fileprivate init?(_ frame: ByteBuffer, _ envelope: Envelope) {
      guard let path = envelope.plainlyReadPath else { return nil }
      self.frame = frame
      self.envelope = envelope
      self.path = path
    }

    /// Calls `body` with the path as it stands in the frame.
    func withPath<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
      frame.withUnsafeReadableBytes { body(UnsafeRawBufferPointer(rebasing: $0[path])) }
    }
  }

  enum AfterOutput: Equatable {
    case goOn
    case close
    /// Shut the sending side, and discard what the client still sends before closing.
    case linger
  }

  private enum Session {
    /// No request has said yet whether it is the only one.
    case undecided
    case persistent
    /// No further request is taken; the connection ends behind the last answer.
    case ending
  }

  private struct PendingAnswer {
    /// For the log, if requests are logged and it was one.
    let request: RequestSummary?
    let kind: Operation.Kind
    /// What it writes, where that is known.
    var document: DocumentPath?
    let id: ByteBuffer?
    let withHeaders: Bool
    let isTerminated: Bool
    let bytes: Int
    var response: Response?
    /// Whether there is none in its place: a watch answers by frames of its own.
    var isElsewhere = false
  }

  private struct WaitingRequest {
    let operation: Operation
    let answer: PendingAnswer
  }

  private let router: Router
  private let wireLimits: WireLimits
  private let limits: ServerLimits
  private let logsRequests: Bool

  /// Whose requests these are.
  private var visitor: Visitor
  private var decoder: FrameDecoder
  private var session = Session.undecided
  private var inputHasEnded = false
  /// Whether the client may still be sending what nobody will read.
  private var leavesInput = false
  private var isFinishing = false
  /// Whether the session ends for no other reason than that the client sends no more. It may still read.
  private var endsWithInput = false

  private var answers = Deque<PendingAnswer>()
  /// The number of the first of `answers`.
  private var firstNumber = 0
  private var open = OpenRequests()
  private var openBytes = 0
  /// Of the data of answers that wait for one before them.
  private var heldBytes = 0
  /// A request that must wait for those before it.
  private var waiting: WaitingRequest?
  /// Whether the connection has watches, whose frames may come for as long as its client reads.
  private(set) var hasWatches = false

  init(
    router: Router, visitor: Visitor = Visitor(), wireLimits: WireLimits, limits: ServerLimits,
    logsRequests: Bool = false
  ) {
    self.router = router
    self.visitor = visitor
    self.wireLimits = wireLimits
    self.limits = limits
    self.logsRequests = logsRequests
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

  /// How long a frame may take, and how long the client may be silent, in seconds.
  var frameSeconds: Double {
    visitor.isStranger ? min(limits.strangerFrameSeconds, limits.frameSeconds) : limits.frameSeconds
  }
  var idleSeconds: Double {
    visitor.isStranger ? min(limits.strangerIdleSeconds, limits.idleSeconds) : limits.idleSeconds
  }

  mutating func received(_ bytes: ByteBuffer) {
    guard session != .ending else {
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
    guard session != .ending else { return }
    refuse(
      .error(
        .requestTimeout, "frame_timeout",
        "A request must arrive whole, its NUL included, within \(frameSeconds) s (\(visitor.isStranger ? "before a token is known, --stranger-frame-timeout" : "--frame-timeout"))."
      ))
  }

  /// The server is ending: what was received whole is still answered, and nothing else.
  mutating func finish() {
    isFinishing = true
    endsWithInput = false
  }

  /// Takes an answer: writes it where it is the first that is due and there is room, and keeps it otherwise.
  mutating func answer(_ number: Int, with response: Response, into output: inout ByteBuffer, log: Log) {
    let index = number - firstNumber
    open.end(answers[index].kind, answers[index].document)
    if index == 0, output.readableBytes < limits.sendBufferBytes {
      write(response, to: answers.removeFirst(), into: &output, log: log)
    } else {
      answers[index].response = response
      heldBytes += response.data?.readableBytes ?? 0
    }
  }

  /// A request is answered by what comes outside of the order of answers.
  mutating func answerElsewhere(_ number: Int) {
    let index = number - firstNumber
    open.end(.read, nil)
    answers[index].isElsewhere = true
    answers[index].response = Response(.ok)
  }

  // MARK: What to do

  /// The next request to run, if one may run now.
  mutating func nextStep() -> Step? {
    while true {
      if let waiting {
        guard mayStart(waiting.operation) else { return nil }
        self.waiting = nil
        return .start(start(waiting.operation, waiting.answer))
      }
      guard session != .ending, mayTakeMore else { return nil }
      switch decoder.next() {
      case .frame(let frame):
        framesEnded += 1
        do throws(RequestError) {
          let envelope = try Envelope(of: frame, depth: wireLimits.depth)
          if session == .persistent, answers.isEmpty, !logsRequests, let read = PlainRead(frame, envelope),
            read.withPath({ visitor.mayRead(atOnce: $0) })
          {
            return .lookUp(read)
          }
          if let start = take(frame, envelope) { return .start(start) }
        } catch {
          if let start = refuse(frame, error) { return .start(start) }
        }
      case .tooLong where decoder.maximumFrameBytes < wireLimits.frameBytes:
        guard let refusal = meetEarly() else { continue }
        return refuse(visitor.countWhatIsNoRequest() ?? refusal).map { .start($0) }
      case .tooLong:
        let refusal = Operation.answer(
          .error(
            .contentTooLarge, "frame_too_large",
            "A request may have \(wireLimits.frameBytes) bytes at most (--max-document-bytes, and \(WireLimits.envelopeBytes) for the rest)."
          ))
        return refuse(visitor.countWhatIsNoRequest() ?? refusal).map { .start($0) }
      case nil:
        endOfInput()
        return nil
      }
    }
  }

  /// Takes up a read that was not answered at once.
  mutating func take(_ read: PlainRead) -> Start? {
    take(read.frame, read.envelope)
  }

  /// Writes the answers that are due, as long as the output is below its bound, and says what becomes of the connection
  /// then.
  mutating func takeOutput(into output: inout ByteBuffer, log: Log) -> AfterOutput {
    while output.readableBytes < limits.sendBufferBytes, let response = answers.first?.response {
      heldBytes -= response.data?.readableBytes ?? 0
      write(response, to: answers.removeFirst(), into: &output, log: log)
    }
    guard session == .ending, answers.isEmpty, waiting == nil else { return .goOn }
    if hasWatches && endsWithInput { return .goOn }
    return leavesInput && !inputHasEnded ? .linger : .close
  }

  /// Takes what the log is told of a request that was answered; nil for something that was no request.
  typealias Log = (RequestSummary?, Response) -> Void

  /// Writes the answer to the request that was the first of `answers`.
  private mutating func write(_ response: Response, to first: PendingAnswer, into output: inout ByteBuffer, log: Log) {
    if !first.isElsewhere {
      output.writeResponse(response, id: first.id, withHeaders: first.withHeaders, terminated: first.isTerminated)
    }
    if logsRequests { log(first.request, response) }
    firstNumber += 1
    openBytes -= first.bytes
  }

  /// Whether the client's further bytes are welcome now.
  var wantsInput: Bool {
    session == .ending || (waiting == nil && mayTakeMore) || decoder.bufferedBytes < 64 << 10
  }

  /// Whether nothing is under way: the connection waits for its client.
  var isIdle: Bool { answers.isEmpty && waiting == nil && !isReceivingFrame }

  /// Whether the client has nothing to wait for, so that its silence says that it has gone.
  var expectsClient: Bool { isIdle && !hasWatches }

  /// Whether the client has begun a frame and owes the rest of it.
  var isReceivingFrame: Bool {
    session != .ending && waiting == nil && mayTakeMore && decoder.holdsPartOfFrame
  }

  // MARK: Within

  private var mayTakeMore: Bool {
    answers.count < limits.pipelinedRequests && openBytes < limits.pipelinedBytes
  }

  private mutating func mayStart(_ operation: Operation) -> Bool {
    switch operation.kind {
    case .immediate: true
    case .read: open.reads == 0 && (open.writes == 0 || mayOvertake(operation))
    case .write: open.reads == 0
    }
  }

  /// Whether a read sees the same before the open writes are done. Its answer waits for theirs, so it is to be bounded
  /// what is held so.
  private mutating func mayOvertake(_ read: Operation) -> Bool {
    guard heldBytes < limits.sendBufferBytes, let path = read.document else { return false }
    if !open.knowsDocuments {
      open.learnDocuments(answers.lazy.filter { $0.response == nil }.compactMap(\.document))
    }
    return open.mayOvertakeWrites(reading: path)
  }

  private mutating func start(_ operation: Operation, _ answer: PendingAnswer) -> Start {
    open.begin(answer.kind, answer.document)
    answers.append(answer)
    return Start(
      number: firstNumber + answers.count - 1, operation: operation, id: answer.id, withHeaders: answer.withHeaders)
  }

  /// Takes up a request: it may start, or waits for those before it, or was refused.
  private mutating func take(_ frame: ByteBuffer, _ envelope: Envelope) -> Start? {
    do throws(RequestError) {
      let request = try envelope.request(from: frame)
      decideSession(request.headers)
      var operation = visitor.operation(for: request, by: router)
      boundFrames()
      if case .watch = operation, session != .persistent { operation = .answer(.watchNeedsSession) }
      openBytes += frame.readableBytes
      let kind = operation.kind
      let answer = PendingAnswer(
        request: logsRequests ? RequestSummary(request) : nil, kind: kind,
        document: kind == .write ? operation.document : nil, id: request.id, withHeaders: request.headers != nil,
        isTerminated: isTerminated, bytes: frame.readableBytes)
      return startOrWait(operation, answer)
    } catch {
      return refuse(frame, error)
    }
  }

  /// Answers what is no request in its place.
  private mutating func refuse(_ frame: ByteBuffer, _ error: RequestError) -> Start? {
    // A web page that makes a browser send something to this port must never get a second frame executed.
    if session == .undecided { end() }
    openBytes += frame.readableBytes
    let (withHeaders, bytes) = (error.headers != nil, frame.readableBytes)
    if let excess = visitor.countWhatIsNoRequest() {
      return startOrWait(
        excess,
        PendingAnswer(
          request: nil, kind: excess.kind, id: error.id, withHeaders: withHeaders, isTerminated: isTerminated,
          bytes: bytes))
    }
    enqueue(
      error.response(onPersistentSession: isTerminated), id: error.id, withHeaders: withHeaders, bytes: bytes)
    return nil
  }

  private mutating func startOrWait(_ operation: Operation, _ answer: PendingAnswer) -> Start? {
    if mayStart(operation) { return start(operation, answer) }
    waiting = WaitingRequest(operation: operation, answer: answer)
    return nil
  }

  /// The session's form is settled by its first request, and ended by any.
  private mutating func decideSession(_ headers: Headers?) {
    switch session {
    case .undecided where headers?.list("Connection", contains: "close") == true: end()
    case .undecided where headers?.list("Connection", contains: "keep-alive") == true:
      session = .persistent
      isTerminated = true
    case .undecided: end()
    case .persistent where headers?.list("Connection", contains: "close") == true: end()
    case .persistent, .ending: break
    }
  }

  /// Whether responses end with NUL: the session is or was a persistent one.
  private var isTerminated = false

  /// What is known of the client says how long its frames may be.
  private mutating func boundFrames() {
    decoder.maximumFrameBytes =
      visitor.isStranger ? min(limits.strangerFrameBytes, wireLimits.frameBytes) : wireLimits.frameBytes
  }

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
    return visitor.isStranger ? .answer(.authenticateFirst(limit: limits.strangerFrameBytes)) : nil
  }

  /// Answers, by an operation of its own, in the place of a request that was not waited for.
  private mutating func refuse(_ refusal: Operation) -> Start? {
    leavesInput = true
    end()
    let answer = PendingAnswer(
      request: nil, kind: refusal.kind, id: nil, withHeaders: false, isTerminated: isTerminated, bytes: 0)
    return startOrWait(refusal, answer)
  }

  /// Answers in the place of a request that never came whole, and ends the connection behind it.
  private mutating func refuse(_ response: Response) {
    leavesInput = true
    end()
    enqueue(response, id: nil, withHeaders: false, bytes: 0)
  }

  private mutating func enqueue(_ response: Response, id: ByteBuffer?, withHeaders: Bool, bytes: Int) {
    heldBytes += response.data?.readableBytes ?? 0
    answers.append(
      PendingAnswer(
        request: nil, kind: .immediate, id: id, withHeaders: withHeaders, isTerminated: isTerminated,
        bytes: bytes, response: response))
  }

  private mutating func end() {
    session = .ending
    if decoder.bufferedBytes > 0 { leavesInput = true }
    decoder.discard()
  }

  /// No whole frame is left: if none can follow, the connection ends.
  private mutating func endOfInput() {
    guard inputHasEnded || isFinishing else { return }
    if inputHasEnded && decoder.holdsPartOfFrame {
      refuse(
        .error(
          .badRequest, "incomplete_frame",
          "The request did not end with a NUL byte before the connection was shut down."))
    } else {
      end()
      endsWithInput = !isFinishing
    }
  }
}
