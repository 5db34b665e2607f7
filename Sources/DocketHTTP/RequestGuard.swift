import DequeModule
import DocketService
import HTTPTypes
import NIOCore
import NIOHTTP1
import Synchronization

/// What is known of a connection besides its bytes: how many of the requests that its task answers have come whole, and whether
/// it is a stranger's.
final class RequestProgress: Sendable {
  private let ended = Atomic(0)
  private let isIdentified = Atomic(false)

  /// Whether a request has shown whose this connection is, once there are tokens.
  var isOfSomebody: Bool { isIdentified.load(ordering: .relaxed) }

  var endedRequests: Int { ended.load(ordering: .acquiring) }

  /// The request that came last is not the task's, and does not count.
  func isAnsweredElsewhere() { ended.subtract(1, ordering: .releasing) }

  func hasShownWhoseItIs() { isIdentified.store(true, ordering: .relaxed) }

  fileprivate func requestHasEnded() { ended.add(1, ordering: .releasing) }
}

/// Ends a connection whatever its client has yet to take, as an outbound event.
struct CloseAtOnce: Sendable {}

/// Has the client go on with its body, as an outbound event: an interim response is no answer, and whoever counts answers must not
/// see one.
struct SayContinue: Sendable {}

/// Answers what is no HTTP, behind the answers to the requests before it, and ends the connection: nothing is taken for a request
/// that stands behind something that could be read in two ways (RFC 9112, section 11.2).
///
/// It stands right behind the decoder, so that nobody else learns of bytes that made no request.
final class RequestGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// What an answer needs to know of its request.
  private struct Form {
    /// Whether the connection ends behind its answer.
    var isLast: Bool
    /// Whether it is of HTTP/1.0, which knows no chunks (RFC 9112, section 6.1).
    let isOld: Bool
  }

  let progress = RequestProgress()
  private let answers: AnswerRoom
  /// How many requests have come whole.
  private(set) var ended = 0
  /// The requests whose answers have not been written to their ends, in order. The last of them may still be coming.
  private var open: Deque<Form> = []
  /// Whether the head of a request has come, and its end has not.
  private(set) var isReceiving = false
  /// Whether that request is answered already, as one whose body is too long.
  private var isAnsweredEarly = false
  /// The last bytes of the last piece of a body.
  private(set) var endOfBody: [UInt8] = []
  /// Whether the head of an answer is written, and its end is not.
  private var isAnswering = false
  /// What is wrong with the request that is the last.
  private var problem: HTTPProblem?
  private var isOver = false
  private var context: ChannelHandlerContext?
  /// Whether a request behind which the connection ends has come whole.
  private var lastHasEnded = false

  /// How many of the requests that have come whole are not answered yet.
  var unanswered: Int { isReceiving && !isAnsweredEarly ? open.count - 1 : open.count }

  /// How long what a client still sends is dropped, so that no reset overtakes the answer.
  private static let lingerSeconds: Int64 = 1
  /// How often it is looked whether the kernel has the last answer.
  private static let lookMilliseconds: Int64 = 100

  init(_ answers: AnswerRoom) {
    self.answers = answers
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard problem == nil, !lastHasEnded, !isOver else { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      guard head.headers["host"].count <= 1 else {
        return refuse(HTTPProblem(.badRequest, "invalid_host", "A request has one 'Host'."), context)
      }
      guard head.isFramedClearly else {
        let detail = "'Transfer-Encoding' is 'chunked', once, in HTTP/1.1, and has no 'Content-Length' beside it."
        return refuse(HTTPProblem(.badRequest, "malformed_request", detail), context)
      }
      open.append(Form(isLast: !head.isKeepAlive, isOld: head.version == .http1_0))
      isReceiving = true
      if !endOfBody.isEmpty { endOfBody = [] }
      return context.fireChannelRead(wrapInboundOut(.head(asUnderstood(head))))
    case .body(let bytes): endOfBody = Array(bytes.readableBytesView.suffix(8))
    case .end:
      ended += 1
      isReceiving = false
      lastHasEnded = isAnsweredEarly || open.last?.isLast == true
      progress.requestHasEnded()
      if isAnsweredEarly { end(context) }
    }
    context.fireChannelRead(data)
  }

  /// The same head, so that whoever is behind has fewer forms to know.
  private func asUnderstood(_ head: HTTPRequestHead) -> HTTPRequestHead {
    var head = head
    if let target = AbsoluteTarget(head.uri) {
      head.uri = target.path
      head.headers.replaceOrAdd(name: "host", value: target.authority)
    }
    // Who speaks HTTP/1.0 would take the 100 for the answer (RFC 9110, section 10.1.1).
    if head.version == .http1_0 { head.headers.remove(name: "expect") }
    return head
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What stands behind a last request is nobody's.
    guard !lastHasEnded else { return }
    guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
    refuse(HTTPProblem(error), context)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    // An answer to a request that turned out to be none has come too late.
    guard !isOver else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    switch unwrapOutboundIn(data) {
    case .head(let head): writeHead(head, context, promise)
    case .body(let body):
      guard case .byteBuffer(let bytes) = body, let share = answers.share(bytes: bytes.readableBytes) else {
        return context.write(data, promise: promise)
      }
      // Until the kernel has it.
      let promise = promise ?? context.eventLoop.makePromise()
      promise.futureResult.whenComplete { _ in withExtendedLifetime(share) {} }
      context.write(data, promise: promise)
    case .end:
      isAnswering = false
      let isEarly = isReceiving && open.count == 1
      let isLast = open.popFirst()?.isLast == true
      isAnsweredEarly = isEarly
      if isLast, !isEarly { return writeLast(data, context, promise) }
      context.write(data, promise: promise)
      answerIfDue(context)
    }
  }

  /// Says in the head of an answer when it is the last one.
  private func writeHead(
    _ head: HTTPResponseHead, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
  ) {
    var head = head
    isAnswering = true
    if open.count == 1 {
      // Who is answered before the end of its request may go on sending it, or not: what comes next is anybody's guess.
      if isReceiving { open[0].isLast = true }
      if open[0].isOld, head.lacksLength {
        // It ends with the connection. The encoder makes chunks of HTTP/1.1 alone.
        head.version = .http1_0
        head.headers.remove(name: "transfer-encoding")
        open[0].isLast = true
        lastHasEnded = !isReceiving
      }
    }
    if open.first?.isLast == true { head.headers.replaceOrAdd(name: "connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }

  /// Writes the end of the last answer, and ends the connection once the client has taken all. Who takes nothing for long is closed as
  /// anybody else (`ConnectionDeadlines`).
  private func writeLast(_ end: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
    isOver = true
    let isSent = promise ?? context.eventLoop.makePromise()
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    isSent.futureResult.whenComplete { _ in
      bound.value.close(mode: .output, promise: nil)
      Self.linger(bound)
    }
    context.writeAndFlush(end, promise: isSent)
  }

  /// What was written goes to the client before the connection ends. The task that answers requests closes its output behind the last one
  /// at once; where the client has half closed the connection, NIO then drops what the kernel has not taken.
  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode != .input, context.channel.isActive, isOver || context.unsentBytes > 0 else {
      return context.close(mode: mode, promise: promise)
    }
    context.channel.closeFuture.cascade(to: promise)
    end(context)
  }

  /// Ends the connection behind what was written.
  private func end(_ context: ChannelHandlerContext) {
    guard !isOver else { return }
    isOver = true
    Self.endOnceSent(NIOLoopBound(context, eventLoop: context.eventLoop))
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    switch event {
    case is CloseAtOnce: context.close(promise: promise)
    case is SayContinue where isOver: promise?.succeed()
    case is SayContinue:
      context.writeAndFlush(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: promise)
    default: context.triggerUserOutboundEvent(event, promise: promise)
    }
  }

  private static func endOnceSent(_ bound: NIOLoopBound<ChannelHandlerContext>) {
    let context = bound.value
    guard context.channel.isActive else { return }
    guard context.unsentBytes > 0 else {
      context.close(mode: .output, promise: nil)
      return linger(bound)
    }
    context.eventLoop.scheduleTask(in: .milliseconds(lookMilliseconds)) { endOnceSent(bound) }
  }

  private static func linger(_ bound: NIOLoopBound<ChannelHandlerContext>) {
    bound.eventLoop.scheduleTask(in: .seconds(lingerSeconds)) {
      let context = bound.value
      if context.unacknowledgedBytes > 0 { linger(bound) } else { context.close(promise: nil) }
    }
  }

  /// Answers the request that is the last: nothing behind it is read any more.
  func refuse(_ problem: HTTPProblem) {
    if let context { refuse(problem, context) }
  }

  private func refuse(_ problem: HTTPProblem, _ context: ChannelHandlerContext) {
    guard self.problem == nil else { return }
    self.problem = problem
    answerIfDue(context)
  }

  private func answerIfDue(_ context: ChannelHandlerContext) {
    guard let problem, unanswered == 0, !isAnswering, !isOver else { return }
    if isAnsweredEarly { return end(context) }
    let body = problem.text
    let head = HTTPResponseHead(
      version: .http1_1, status: HTTPResponseStatus(statusCode: problem.status.code),
      headers: [
        "content-type": HTTPAnswer.problemType, "content-length": "\(body.readableBytes)", "connection": "close",
      ])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    writeLast(wrapOutboundOut(.end(nil)), context)
  }
}

extension HTTPRequestHead {
  /// Whether nobody can doubt where the body ends (RFC 9112, section 6.3). The decoder passes over a 'Transfer-Encoding' that names
  /// nothing, and over codings before the last one.
  fileprivate var isFramedClearly: Bool {
    guard headers.contains(name: "transfer-encoding") else { return true }
    // NIO leaves the space behind a value, which is no part of it (section 5.1).
    let codings = headers["transfer-encoding"].map { value in
      String(value.lowercased().reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
    return codings == ["chunked"] && version != .http1_0 && !headers.contains(name: "content-length")
  }
}

extension HTTPResponseHead {
  /// Whether nothing says where the body ends that follows.
  fileprivate var lacksLength: Bool {
    !headers.contains(name: "content-length") && status.mayHaveResponseBody
  }
}

extension HTTPProblem {
  fileprivate init(_ error: HTTPParserError) {
    switch error {
    case .invalidMethod:
      self.init(
        .notImplemented, "unknown_method", "Methods here are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.")
    case .headerOverflow:
      self.init(
        .requestHeaderFieldsTooLarge, "headers_too_large", "The request's path and headers are longer than 32 KiB.")
    case .invalidVersion:
      self.init(
        .httpVersionNotSupported, "http_version",
        "This port speaks HTTP/1.1, whose lines end with CR LF: 'GET /notes/42 HTTP/1.1\\r\\n'.")
    case .invalidEOFState:
      self.init(.badRequest, "incomplete_body", "The request ended before it was whole.")
    case .invalidURL, .invalidConstant:
      self.init(
        .badRequest, "malformed_request",
        "A path has printable ASCII alone; percent-encode the rest, spaces too: '/notes/a%20b'. (\(error))")
    case .invalidContentLength, .unexpectedContentLength, .unknown:
      self.init(
        .badRequest, "malformed_request",
        "A body has one 'Content-Length', a number of bytes, or 'Transfer-Encoding: chunked', and not both. (\(error))")
    default: self.init(.badRequest, "malformed_request", "This is no request of HTTP/1.1: \(error).")
    }
  }
}
