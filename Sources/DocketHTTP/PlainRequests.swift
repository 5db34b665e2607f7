import DequeModule
import DocketService
import DocketWire
import NIOCore
import NIOHTTP1

/// Answers requests for single documents where they come in, without the connection's task: most requests are such, and to wake
/// the task, and to tell it of heads as it wants them, took more than half of what they cost (docs/BENCHMARKS.md).
///
/// It stands behind everything that looks at bytes, so that such a request is bounded, refused and compressed as any other. One
/// that comes while the task has something to answer goes to the task as well, so that answers keep their order.
final class PlainRequests: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let site: HTTPSite
  private let desk: HTTPDesk
  private let progress: RequestProgress
  /// Whose end is still to come.
  private var pending: PlainRequest?
  /// The client's, once it is known.
  private var address: VisitorAddress?
  /// A `Host` that was taken, and that a client mostly says again.
  private var takenHost: String?
  /// How long a body may be that is taken here: not longer than one of somebody who is not known yet.
  private let bodyBytes: Int
  /// How many requests the task has, and has not answered.
  private var elsewhere = 0
  /// Whether those behind were told of parts, and not yet that these are all for now. They look at none before that.
  private var hasPassedOn = false
  /// Whether the connection has given parts, and not yet said that these are all for now.
  private var isReading = false
  /// Whether an answer waits for what it wrote or read to be durable, is late on purpose, or is sent in pieces.
  private var isAnswering = false
  /// What of a long answer is still to be compressed, and what it takes of the room for answers.
  private var rest: (bytes: ByteBuffer, share: AnswerRoom.Share?)?
  /// Whether that goes on once the client has taken what was sent.
  private var restWaitsForClient = false
  /// What else happened to the connection meanwhile.
  private var events: [Any] = []
  /// What came meanwhile, or while the client did not take its answers. No more is read then.
  private var waiting = Deque<HTTPServerRequestPart>()
  private var readIsHeldBack = false
  private var isGoingOn = false

  /// Whether there is a request here that is not answered.
  private var isBusy: Bool { isAnswering || pending != nil || !waiting.isEmpty }

  init(_ site: HTTPSite, _ desk: HTTPDesk, _ progress: RequestProgress) {
    self.site = site
    self.desk = desk
    self.progress = progress
    bodyBytes = min(site.limits.strangerBodyBytes, site.store.wireLimits.frameBytes)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    let part = unwrapInboundIn(data)
    if mayTake(context), waiting.isEmpty { take(part, context) } else { waiting.append(part) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    completeRead(context)
  }

  private func completeRead(_ context: ChannelHandlerContext) {
    guard hasPassedOn else { return }
    hasPassedOn = false
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Such as that the client says no more, or that the server ends: those behind do not know of a request that is answered
    // here, and would end the connection at once.
    if isBusy { events.append(event) } else { context.fireUserInboundEventTriggered(event) }
  }

  func read(context: ChannelHandlerContext) {
    if mayTake(context), waiting.isEmpty { context.read() } else { readIsHeldBack = true }
  }

  func handlerRemoved(context: ChannelHandlerContext) { rest = nil }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      if restWaitsForClient { sendRest(context) }
      goOn(context)
    }
    context.fireChannelWritabilityChanged()
  }

  /// Whether a request may be taken up: none is being answered here, and the client takes its answers. What the task is for it bounds
  /// itself.
  private func mayTake(_ context: ChannelHandlerContext) -> Bool {
    !isAnswering && (elsewhere > 0 || context.channel.isWritable)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) { elsewhere -= 1 }
    context.write(data, promise: promise)
  }

  private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
    switch part {
    case .head(let head):
      if elsewhere == 0 { pending = PlainRequest(head, bodyBytes: bodyBytes) }
      guard pending == nil else { return }
      elsewhere += 1
      passOn(part, context)
    case .end where pending != nil:
      guard let request = pending.take() else { return }
      answer(request, context)
    case .body(var bytes) where pending != nil: pending?.body.setOrWriteBuffer(&bytes)
    case .body, .end: passOn(part, context)
    }
  }

  private func passOn(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
    hasPassedOn = true
    context.fireChannelRead(wrapInboundOut(part))
  }

  private func answer(_ request: PlainRequest, _ context: ChannelHandlerContext) {
    progress.isAnsweredElsewhere()
    isAnswering = true
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let finish: @Sendable (HTTPAnswer) -> Void = { answer in
      let (requests, context) = bound.value
      requests.send(answer, to: request, context)
    }
    let began = NIODeadline.now()
    if let problem = refusal(request.outline) {
      desk.countOther(problem.status.code, since: began, from: address(context)) { finish(HTTPAnswer($0, or: problem)) }
    } else {
      desk.answer(plain: request, from: address(context), progress) { finish(HTTPAnswer($0)) }
    }
  }

  private func address(_ context: ChannelHandlerContext) -> VisitorAddress {
    if let address { return address }
    let address = VisitorAddress(context.channel.remoteAddress)
    self.address = address
    return address
  }

  private func refusal(_ request: RequestOutline) -> HTTPProblem? {
    // Where a browser has said nothing the host is all that the rules look at.
    if let takenHost, request.host == takenHost, request.origin == nil, request.fetchSite == nil { return nil }
    if let problem = site.rules.refusal(request, isSecure: site.isSecure) { return problem }
    takenHost = request.host
    return nil
  }

  private func send(_ answer: HTTPAnswer, to request: PlainRequest, _ context: ChannelHandlerContext) {
    var answer = answer
    site.finish(&answer, to: request.outline)
    var body: ByteBuffer?
    if case .bytes(let bytes) = answer.body {
      answer.fields.append("Content-Length", String(bytes.readableBytes))
      if request.wantsBody { body = bytes }
    }
    let head = HTTPResponseHead(
      version: .http1_1,
      status: HTTPResponseStatus(statusCode: answer.status.code, reasonPhrase: answer.status.reasonPhrase),
      headers: HTTPHeaders(answer.fields.fields.map { ($0.name, $0.value) }))
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if let body, request.takesCompression, body.readableBytes > Compression.pieceBytes {
      rest = (body, site.store.answers.share(bytes: body.readableBytes))
      return sendRest(context)
    }
    if let body { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    end(context)
  }

  private func end(_ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    isAnswering = false
    goOn(context)
  }

  /// Sends what is left of a long answer, as far as the client takes it.
  private func sendRest(_ context: ChannelHandlerContext) {
    restWaitsForClient = !context.channel.isWritable
    guard !restWaitsForClient else { return }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    desk.takeCompressionTurn {
      let (requests, context) = bound.value
      requests.sendPiece(context)
    }
  }

  private func sendPiece(_ context: ChannelHandlerContext) {
    guard let piece = rest?.bytes.readPiece() else {
      rest = nil
      return end(context)
    }
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil)
    sendRest(context)
  }

  /// Takes what came meanwhile.
  private func goOn(_ context: ChannelHandlerContext) {
    // What is answered at once comes back here.
    guard !isGoingOn else { return }
    isGoingOn = true
    while mayTake(context), let part = waiting.popFirst() { take(part, context) }
    isGoingOn = false
    // The connection has said so already where an answer came later than what was sent behind its request.
    if !isReading { completeRead(context) }
    if mayTake(context), readIsHeldBack {
      readIsHeldBack = false
      context.read()
    }
    while !isBusy, !events.isEmpty { context.fireUserInboundEventTriggered(events.removeFirst()) }
  }
}
