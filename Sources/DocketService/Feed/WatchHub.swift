import DequeModule
import DocketStore
import DocketWire
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// All watches of a server, and the two threads that serve them: one takes those that are up to date through what is committed
/// (`LiveFeed`), the other reads for those that are not yet, or not any more (`ReplayFeed`).
///
///     open ──▶ ReplayFeed ──▶ LiveFeed ──▶ the connections
///                   ▲              │ a connection has no room
///                   └──────────────┘
public final class WatchHub: Sendable {
  let limits: WatchLimits
  private let count = Atomic(0)
  let live = LiveQueue()
  let replays = ReplayQueue()
  private let room: WatchRoom

  public init(limits: WatchLimits) {
    self.limits = limits
    room = WatchRoom(limitBytes: limits.totalBacklogBytes) { [replays] in replays.add($0) }
  }

  /// Begins to serve. The threads end when the repository closes.
  public func start(on repository: any DocumentRepository) throws(StoreError) {
    live.follower.wake = try repository.follow { [self] reader in LiveFeed(self, reader).run() }
    replays.follower.wake = try repository.follow { [self] reader in ReplayFeed(self, reader).run() }
  }

  func makeOutlet(_ port: WatchPort) -> WatchOutlet {
    WatchOutlet(port: port, room: room, limitBytes: limits.backlogBytes)
  }

  /// How many watches there are.
  public var watches: Int { count.load(ordering: .relaxed) }

  /// Takes a watch. Returns whether there was room for one more.
  /// - Parameter newest: the newest change when it was asked for.
  func open(_ watch: Watch, newest: Revision) -> Bool {
    guard count.add(1, ordering: .relaxed).newValue <= limits.inAll else {
      count.subtract(1, ordering: .relaxed)
      return false
    }
    // What it has missed is little, or else is read where it keeps nobody waiting.
    if case .changes = watch.phase, newest.rawValue - watch.position.rawValue <= LiveFeed.shortGap {
      live.attach(watch)
    } else {
      replays.add([watch])
    }
    return true
  }

  /// Nobody wants the watch's frames any more.
  func end(_ watch: Watch) {
    guard watch.end() else { return }
    count.subtract(1, ordering: .relaxed)
    live.detach(watch)
  }

  /// Has a last frame told to a watch: why it ends.
  func tell(_ error: Response, to watch: Watch) {
    send(WatchDelivery(ByteBuffer(lastFrame: error), to: watch, isLast: true), to: watch.outlet.port)
  }

  func send(_ delivery: WatchDelivery, to port: WatchPort) {
    port.deliver(delivery) { [live, replays] in
      // Whoever waits for room looks again.
      live.follower.wakeIfWaitingForRoom()
      replays.follower.wakeIfWaitingForRoom()
    }
  }
}
