import DocketService
import NIOConcurrencyHelpers
import NIOCore

/// The connections of an HTTP server, over all its loops: so many and no more.
final class OpenChannels: Sendable {
  let limit: Int
  private let meters: ServerMeters.Connections
  private let channels = NIOLockedValueBox<[ObjectIdentifier: any Channel]>([:])

  init(limit: Int, meters: ServerMeters.Connections) {
    self.limit = limit
    self.meters = meters
  }

  /// Takes a place for the life of the channel, if there is one.
  func admit(_ channel: any Channel) -> Bool {
    let id = ObjectIdentifier(channel)
    let isAdmitted = channels.withLockedValue { channels in
      guard channels.count < limit else { return false }
      channels[id] = channel
      return true
    }
    if isAdmitted {
      meters.didOpen()
      channel.closeFuture.whenComplete { [self] _ in
        channels.withLockedValue { $0[id] = nil }
        meters.didClose()
      }
    } else {
      meters.didRefuse()
    }
    return isAdmitted
  }

  func closeAll() {
    for channel in channels.withLockedValue({ Array($0.values) }) { channel.close(promise: nil) }
  }
}
