import DocketService
import DocketWire
import NIOConcurrencyHelpers
import NIOCore

/// Counts connections, over all loops, against their limit. Where there is no place left, the one that has owed a token longest
/// gives way, so that nobody can keep out those who have tokens by holding all places.
struct Admission: Sendable {
  private struct Counts {
    var served = 0
    var refused = 0
    var strangers = StrangerQueue()
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
    guard takePlace() else {
      meters.didRefuse()
      return false
    }
    meters.didOpen()
    channel.closeFuture.whenComplete { _ in
      givePlaceBack()
      meters.didClose()
    }
    return true
  }

  /// Takes a place, if there is one or somebody gives way. Until that connection has closed there is one more than the limit,
  /// and if its token arrives at this very moment it stays.
  func takePlace() -> Bool {
    let (isTaken, giveWay) = counts.withLockedValue { counts -> (Bool, StrangerQueue.GiveWay?) in
      let giveWay = counts.served < limit ? nil : counts.strangers.removeFirst()
      guard counts.served < limit || giveWay != nil else { return (false, nil) }
      counts.served += 1
      return (true, giveWay)
    }
    giveWay?()
    return isTaken
  }

  func givePlaceBack() { counts.withLockedValue { $0.served -= 1 } }

  /// Takes notice of a connection that owes a token from now on.
  /// - Parameter giveWay: is called, on any thread, when its place is wanted.
  /// - Returns: its number, by which it is removed.
  func addStranger(_ giveWay: @escaping StrangerQueue.GiveWay) -> Int {
    counts.withLockedValue { $0.strangers.append(giveWay) }
  }

  /// It has shown one, or is closed.
  func removeStranger(_ number: Int) { counts.withLockedValue { $0.strangers.remove(number) } }

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
