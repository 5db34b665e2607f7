import DocketTLS
import DocketWire
import NIOCore

/// Who has opened a connection, and is told of it what comes.
protocol ConnectionOwner: AnyObject {
  func received(_ frame: ByteBuffer, on connection: ClientConnectionHandler)
  /// What comes is longer than an answer may be.
  func receivedTooMuch(on connection: ClientConnectionHandler)
  /// All is told of what one read has brought.
  func readCompleted(on connection: ClientConnectionHandler)
  /// The connection has ended.
  /// - Parameter rest: what came behind the last NUL.
  func disconnected(rest: ByteBuffer, on connection: ClientConnectionHandler)
}

/// One connection: writes requests, and cuts what comes into answers.
final class ClientConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let owner: any ConnectionOwner
  private var decoder: FrameDecoder
  private var context: ChannelHandlerContext?
  /// Why the server has not let the client in, where it says so behind the client's own part of the handshake.
  private(set) var refusal: String?

  init(maximumFrameBytes: Int, owner: any ConnectionOwner) {
    decoder = FrameDecoder(maximumFrameBytes: maximumFrameBytes)
    self.owner = owner
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

  /// Reads once, where the connection does not do so by itself.
  func read() {
    context?.read()
  }

  func close() {
    context?.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data))
    while let event = decoder.next() {
      switch event {
      case .frame(let frame):
        owner.received(frame, on: self)
      case .tooLong:
        decoder.discard()
        owner.receivedTooMuch(on: self)
      }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    owner.readCompleted(on: self)
  }

  func channelInactive(context: ChannelHandlerContext) {
    decoder.append(ByteBuffer(integer: UInt8(0)))
    guard case .frame(let rest)? = decoder.next() else { return owner.receivedTooMuch(on: self) }
    owner.disconnected(rest: rest, on: self)
  }

  /// A reset, say. The close that follows tells the owner.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if TLSFailure.isRefusalOfCertificate(error) { refusal = TLSFailure.reason(error, peer: nil) }
    context.close(promise: nil)
  }
}
