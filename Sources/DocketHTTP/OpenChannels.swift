import DocketService
import NIOConcurrencyHelpers
import NIOCore

/// The connections of an HTTP server, over all its loops: so many and no more, but for those that are being told so.
final class OpenChannels: Sendable {
  private struct Place {
    let channel: any Channel
    let progress: RequestProgress
    /// Counts up, so that the least is the oldest.
    let number: Int
  }

  private struct State {
    /// All that are open, those among them that were refused or gave way.
    var channels: [ObjectIdentifier: any Channel] = [:]
    var places: [ObjectIdentifier: Place] = [:]
    var last = 0
  }

  let limit: Int
  private let gate: Gate
  private let meters: ServerMeters.Connections
  private let state = NIOLockedValueBox(State())

  init(limit: Int, gate: Gate, meters: ServerMeters.Connections) {
    self.limit = limit
    self.gate = gate
    self.meters = meters
  }

  /// Takes a place for the life of the channel, if there is one; where nothing can be done without a token, that of
  /// whoever has shown none for longest, rather than none.
  func admit(_ channel: any Channel, _ progress: RequestProgress) -> Bool {
    let id = ObjectIdentifier(channel)
    let mayTakeAnothers = gate.isForTokensOnly
    let (isAdmitted, givesWay) = state.withLockedValue { state -> (Bool, (any Channel)?) in
      var givesWay: (any Channel)?
      state.channels[id] = channel
      if state.places.count >= limit {
        let strangers = state.places.filter { !$0.value.progress.isOfSomebody }
        guard mayTakeAnothers, let oldest = strangers.min(by: { $0.value.number < $1.value.number }) else {
          return (false, nil)
        }
        state.places[oldest.key] = nil
        givesWay = oldest.value.channel
      }
      state.last += 1
      state.places[id] = Place(channel: channel, progress: progress, number: state.last)
      return (true, givesWay)
    }
    givesWay?.triggerUserOutboundEvent(CloseAtOnce(), promise: nil)
    if isAdmitted { meters.didOpen() } else { meters.didRefuse() }
    channel.closeFuture.whenComplete { [self] _ in
      state.withLockedValue {
        $0.channels[id] = nil
        $0.places[id] = nil
      }
      if isAdmitted { meters.didClose() }
    }
    return isAdmitted
  }

  func closeAll() {
    for channel in state.withLockedValue({ Array($0.channels.values) }) {
      channel.triggerUserOutboundEvent(CloseAtOnce(), promise: nil)
    }
  }
}
