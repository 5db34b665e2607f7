import DequeModule
import DocketService
import DocketWire
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers reads of single documents where they come in, without the connection's task: most requests are such, and to wake the
/// task and to go through its streams of parts took a quarter of what they cost (40 us of CPU with it, 30 without; 64 connections).
///
/// It stands behind everything that looks at bytes, so that such a request is bounded, refused and compressed as any other. One
/// that comes while the task has something to answer goes to the task as well, so that answers keep their order.
final class DocumentReads: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let site: HTTPSite
  private let desk: HTTPDesk
  private let progress: RequestProgress
  /// Of a read whose end is still to come.
  private var head: HTTPRequest?
  /// How many requests the task has, and has not answered.
  private var elsewhere = 0
  /// Whether an answer waits for what it read to be durable, or is late on purpose.
  private var isAnswering = false
  /// What came meanwhile. No more is read then.
  private var waiting = Deque<HTTPRequestPart>()
  private var readIsHeldBack = false

  init(_ site: HTTPSite, _ desk: HTTPDesk, _ progress: RequestProgress) {
    self.site = site
    self.desk = desk
    self.progress = progress
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    if isAnswering { waiting.append(part) } else { take(part, context) }
  }

  func read(context: ChannelHandlerContext) {
    if isAnswering { readIsHeldBack = true } else { context.read() }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) { elsewhere -= 1 }
    context.write(data, promise: promise)
  }

  private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
    switch part {
    case .head(let head) where elsewhere == 0 && Self.isDocumentRead(head): self.head = head
    case .head:
      elsewhere += 1
      context.fireChannelRead(wrapInboundOut(part))
    case .end where head != nil:
      if let head { answer(head, context) }
      head = nil
    case .body, .end: context.fireChannelRead(wrapInboundOut(part))
    }
  }

  /// Whether it is the plain form of a read: what is special about others the task knows.
  private static func isDocumentRead(_ head: HTTPRequest) -> Bool {
    guard head.method == .get || head.method == .head, let path = head.path?.utf8, path.first == UInt8(ascii: "/"),
      path.last != UInt8(ascii: "/"), path.dropFirst().first != UInt8(ascii: "_"),
      path.dropFirst().contains(UInt8(ascii: "/")), !path.contains(UInt8(ascii: "?"))
    else { return false }
    return head.headerFields.allSatisfy { field in
      switch field.name {
      case .contentLength, .transferEncoding, .expect, .upgrade: false
      case .accept: !field.value.lowercased().contains("text/event-stream")
      default: true
      }
    }
  }

  private func answer(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
    progress.isAnsweredElsewhere()
    let id = RequestID.of(head)
    if let problem = site.rules.refusal(head, isSecure: site.isSecure) {
      return send(HTTPAnswer(problem), to: head, id, context)
    }
    guard let request = try? DocketWire.Request(head, body: nil, depth: site.store.wireLimits.depth) else {
      preconditionFailure("without a body there is nothing that could be wrong with it")
    }
    isAnswering = true
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    desk.read(request, from: VisitorAddress(context.channel.remoteAddress), id: id) { response in
      let (reads, context) = bound.value
      reads.isAnswering = false
      reads.send(HTTPAnswer(response), to: head, id, context)
      reads.goOn(context)
    }
  }

  private func send(_ answer: HTTPAnswer, to head: HTTPRequest, _ id: String, _ context: ChannelHandlerContext) {
    var answer = answer
    site.finish(&answer, to: head, id: id)
    var body: ByteBuffer?
    if case .bytes(let bytes) = answer.body {
      answer.fields[.contentLength] = String(bytes.readableBytes)
      if head.method == .head { answer.fields[.contentEncoding] = HTTPChannel.uncompressed } else { body = bytes }
    }
    context.write(
      wrapOutboundOut(.head(HTTPResponse(status: answer.status, headerFields: answer.fields))), promise: nil)
    if let body { context.write(wrapOutboundOut(.body(body)), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  /// Takes what came meanwhile.
  private func goOn(_ context: ChannelHandlerContext) {
    while !isAnswering, let part = waiting.popFirst() { take(part, context) }
    if !isAnswering, readIsHeldBack {
      readIsHeldBack = false
      context.read()
    }
  }
}
