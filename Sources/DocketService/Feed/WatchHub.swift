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
  let hold: HistoryHold
  private let room: WatchRoom
  private let repository: any DocumentRepository
  /// How large the conditions of all watches are, in bytes of JSON.
  private let conditionBytes = Atomic(0)

  public init(_ repository: any DocumentRepository, limits: WatchLimits) {
    self.repository = repository
    self.limits = limits
    hold = HistoryHold(repository) { [live] in live.follower.wake?() }
    room = WatchRoom(limitBytes: limits.totalBacklogBytes) { [replays] in replays.add($0) }
  }

  /// Begins to serve. The threads end when the repository closes.
  public func start() throws(StoreError) {
    live.follower.wake = try repository.follow(urgently: true) { [self] reader in
      live.follower.run { LiveFeed(self, reader).run() }
    }
    replays.follower.wake = try repository.follow(urgently: false) { [self] reader in
      replays.follower.run { ReplayFeed(self, reader).run() }
    }
  }

  /// Ends the threads, which hand nothing to the event loops afterwards.
  public func stop() async {
    let threads = [live.follower, replays.follower]
    for thread in threads { thread.stop() }
    while threads.contains(where: \.isRunning) { try? await Task.sleep(for: .milliseconds(1)) }
  }

  func makeOutlet(_ port: WatchPort) -> WatchOutlet {
    WatchOutlet(port: port, room: room, limitBytes: limits.backlogBytes)
  }

  /// How many watches there are.
  public var watches: Int { count.load(ordering: .relaxed) }

  /// Makes room for a watch. Returns why there is none, if so.
  func admit(_ request: WatchRequest) -> Response? {
    guard count.add(1, ordering: .relaxed).newValue <= limits.inAll else {
      count.subtract(1, ordering: .relaxed)
      return .tooManyWatches("There are \(limits.inAll) watches", "--max-watches")
    }
    guard conditionBytes.add(request.conditionBytes, ordering: .relaxed).newValue <= limits.conditionBytes else {
      leave(request)
      return .tooManyWatches("The conditions of watches have \(limits.conditionBytes) bytes", "--watch-condition-bytes")
    }
    return nil
  }

  /// Gives back the room of a watch that has ended, or did not begin.
  private func leave(_ request: WatchRequest) {
    count.subtract(1, ordering: .relaxed)
    conditionBytes.subtract(request.conditionBytes, ordering: .relaxed)
  }

  /// A watch that was admitted does not begin.
  func dismiss(_ request: WatchRequest) {
    leave(request)
    // What was held for it is let go.
    live.follower.wake?()
  }

  /// Takes a watch that was admitted.
  /// - Parameter newest: the newest change when it was asked for.
  func open(_ watch: Watch, newest: Revision) {
    // What it has missed is little, or else is read where it keeps nobody waiting.
    if case .changes = watch.phase, (0...LiveFeed.shortGap).contains(newest.rawValue - watch.position.rawValue) {
      live.attach(watch)
    } else {
      replays.add([watch])
      live.follower.wake?()
    }
  }

  /// Nobody wants the watch's frames any more.
  func end(_ watch: Watch) {
    guard watch.end() else { return }
    leave(watch.request)
    watch.outlet.forget(watch)
    replays.didEnd()
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
