import DocketWire
import NIOCore

/// One connection: writes requests, and cuts what comes into answers.
final class ClientConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let session: ClientSession
  private var decoder: FrameDecoder
  private var context: ChannelHandlerContext?

  init(maximumFrameBytes: Int, session: ClientSession) {
    decoder = FrameDecoder(maximumFrameBytes: maximumFrameBytes)
    self.session = session
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  /// Takes a request, to be sent with the next `flush`.
  func write(_ request: Request) {
    guard let context else { return }
    var frame = context.channel.allocator.buffer(capacity: 128 + (request.data?.readableBytes ?? 0))
    frame.writeRequest(request)
    context.write(wrapOutboundOut(frame), promise: nil)
  }

  func flush() {
    context?.flush()
  }

  func close() {
    context?.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data))
    while let event = decoder.next() {
      switch event {
      case .frame(let frame):
        session.received(frame, on: self)
      case .tooLong:
        decoder.discard()
        session.receivedTooMuch(on: self)
      }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    decoder.append(ByteBuffer(integer: UInt8(0)))
    guard case .frame(let rest)? = decoder.next() else { return session.receivedTooMuch(on: self) }
    session.disconnected(rest: rest, on: self)
  }

  /// A reset, say. The close that follows tells the session.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
