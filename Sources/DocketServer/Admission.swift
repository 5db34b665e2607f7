import DocketService
import DocketWire
import NIOConcurrencyHelpers
import NIOCore

/// Counts connections, over all loops, against their limit.
struct Admission: Sendable {
  private struct Counts {
    var served = 0
    var refused = 0
  }

  /// How many refused connections may be told so at once; one above that is just closed.
  private static let refusalsAtOnce = 256

  let limit: Int
  private let meters: ServerMeters.Connections
  private let counts = NIOLockedValueBox(Counts())

  init(limit: Int, meters: ServerMeters.Connections) {
    self.limit = limit
    self.meters = meters
  }

  /// Takes a place for the life of the channel, if there is one.
  func admit(_ channel: any Channel) -> Bool {
    let isAdmitted = counts.withLockedValue { counts in
      guard counts.served < limit else { return false }
      counts.served += 1
      return true
    }
    if isAdmitted {
      meters.didOpen()
      channel.closeFuture.whenComplete { _ in
        counts.withLockedValue { $0.served -= 1 }
        meters.didClose()
      }
    } else {
      meters.didRefuse()
    }
    return isAdmitted
  }

  fileprivate func mayTellRefusal(_ channel: any Channel) -> Bool {
    let mayTell = counts.withLockedValue { counts in
      guard counts.refused < Self.refusalsAtOnce else { return false }
      counts.refused += 1
      return true
    }
    if mayTell {
      channel.closeFuture.whenComplete { _ in counts.withLockedValue { $0.refused -= 1 } }
    }
    return mayTell
  }
}

/// Answers a connection above the limit, and closes it without reading a request. Where there is TLS it is closed unanswered: the
/// handshake for the answer would cost more than many a request.
final class RefusalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let seconds: Int64 = 1
  private let admission: Admission
  private let isTold: Bool

  init(_ admission: Admission, isTold: Bool) {
    self.admission = admission
    self.isTold = isTold
  }

  func channelActive(context: ChannelHandlerContext) {
    guard isTold, admission.mayTellRefusal(context.channel) else {
      context.close(promise: nil)
      return
    }
    let response = Response.retry(
      .serviceUnavailable, "too_many_connections",
      "The server has \(admission.limit) connections already (--max-connections).", afterSeconds: 1)
    var output = ByteBuffer()
    output.writeResponse(response, id: nil, withHeaders: false, terminated: false)
    context.writeAndFlush(wrapOutboundOut(output), promise: nil)
    context.close(mode: .output, promise: nil)
    // What the client sends is read and dropped for a moment, so that no reset overtakes the answer.
    let channel = context.channel
    context.eventLoop.scheduleTask(in: .seconds(Self.seconds)) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
