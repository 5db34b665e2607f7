import HTTPTypes
import NIOCore
import NIOHTTP1

/// Answers what is no HTTP, behind the answers to the requests before it, and ends the connection: nothing is taken for a request
/// that stands behind something that could be read in two ways (RFC 9112, section 11.2).
///
/// It stands right behind the decoder, so that nobody else learns of bytes that made no request.
final class MalformedRequests: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// How many requests came whole and are not answered yet.
  private var unanswered = 0
  /// What was wrong with the one that is the last.
  private var error: HTTPParserError?
  private var isOver = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .end = unwrapInboundIn(data) { unanswered += 1 }
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
    guard self.error == nil else { return }
    self.error = error
    refuseIfDue(context)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    // An answer to a request that turned out to be none has come too late.
    guard !isOver else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
    context.write(data, promise: promise)
    unanswered -= 1
    refuseIfDue(context)
  }

  private func refuseIfDue(_ context: ChannelHandlerContext) {
    guard let error, unanswered <= 0, !isOver else { return }
    isOver = true
    let problem = HTTPProblem(error)
    let body = problem.text
    let head = HTTPResponseHead(
      version: .http1_1, status: HTTPResponseStatus(statusCode: problem.status.code),
      headers: [
        "content-type": "application/problem+json", "content-length": "\(body.readableBytes)", "connection": "close",
      ])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
  }
}

extension HTTPProblem {
  fileprivate init(_ error: HTTPParserError) {
    switch error {
    case .invalidMethod:
      self.init(
        .notImplemented, "unknown_method", "Methods here are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.")
    case .headerOverflow:
      self.init(.requestHeaderFieldsTooLarge, "headers_too_large", "The request's headers are too long.")
    case .invalidVersion:
      self.init(.httpVersionNotSupported, "http_version", "This port speaks HTTP/1.1.")
    default: self.init(.badRequest, "malformed_request", "This is no request of HTTP/1.1: \(error).")
    }
  }
}
