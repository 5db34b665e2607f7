import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers the first request of a connection above the limit, and closes it.
final class HTTPRefusal: ChannelInboundHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  private let limit: Int

  init(limit: Int) {
    self.limit = limit
  }

  func channelActive(context: ChannelHandlerContext) {
    // Who asks nothing is not waited for.
    let channel = context.channel
    context.eventLoop.scheduleTask(in: .seconds(1)) { channel.triggerUserOutboundEvent(CloseAtOnce(), promise: nil) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .end = unwrapInboundIn(data) else { return }
    let body = HTTPProblem(
      .serviceUnavailable, "too_many_connections",
      "The server has \(limit) HTTP connections already (--http-max-connections)."
    ).text
    let fields: HTTPFields = [
      .contentType: HTTPAnswer.problemType, .contentLength: String(body.readableBytes), .retryAfter: "1",
      .connection: "close",
    ]
    context.write(wrapOutboundOut(.head(HTTPResponse(status: .serviceUnavailable, headerFields: fields))), promise: nil)
    context.write(wrapOutboundOut(.body(body)), promise: nil)
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
  }
}
