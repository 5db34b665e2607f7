import DocketClient
import DocketWire
import NIOCore

/// A connection of a bench that watches the collection to which others write. It lives on the bench's event loop.
///
/// A document says itself when it was sent (`BenchRequests`), so that each event is told apart however many write.
final class BenchWatcher: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let run: BenchRun
  private let server: BenchServer
  private let collection: String
  private var frames = FrameDecoder(maximumFrameBytes: 1 << 30)
  private var channel: (any Channel)?
  private var live: EventLoopPromise<Void>?
  private var isClosing = false

  init(run: BenchRun, plan: BenchPlan, server: BenchServer) {
    self.run = run
    self.server = server
    collection = plan.collection
  }

  /// Opens the connection; the future tells when its watch is live.
  func open(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
    let promise = eventLoop.makePromise(of: Void.self)
    live = promise
    server.connect(self, on: eventLoop).assumeIsolated().whenFailure { [self] error in failed(.connecting(error)) }
    return promise.futureResult
  }

  func channelActive(context: ChannelHandlerContext) {
    channel = context.channel
    let path = collection + "?watch=true"
    let headers = #"{"Connection":"keep-alive"\#(server.authorization)}"#
    let request = #"{"method":"GET","path":"\#(path)","id":1,"headers":\#(headers)}"# + "\0"
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    frames.append(unwrapInboundIn(data))
    while case .frame(let frame)? = frames.next() {
      let code = BenchAnswers.code(of: frame)
      guard code != 401 else { return failed(.tokenNotTaken) }
      guard code == 200 else {
        return failed(CommandFailure("a watch has ended: \(String(buffer: frame))"))
      }
      if let live {
        self.live = nil
        live.succeed()
      } else if let start = BenchRequests.sent(in: frame) {
        run.told(since: start)
      }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    channel = nil
    if !isClosing { failed(CommandFailure("the server closed the connection of a watch")) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let reason = CommandFailure.reasonOfTLS(error, context) {
      isClosing = true
      failed(CommandFailure("cannot connect: \(reason)"))
    }
    context.close(promise: nil)
  }

  private func failed(_ failure: CommandFailure) {
    if let live {
      self.live = nil
      live.fail(failure)
    } else {
      run.fail(failure)
    }
  }

  func close() {
    isClosing = true
    channel?.close(promise: nil)
  }
}
