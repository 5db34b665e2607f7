import DocketStore
import DocketWire
import NIOCore

/// Takes the watches that are up to date through what is committed: each change is read once, and told to all that want it.
///
/// It belongs to the thread that calls `run`.
final class LiveFeed {
  /// A watch that has missed no more changes than this is brought up to date here; others are replayed first.
  static let shortGap: Int64 = 1_000

  private let hub: WatchHub
  private let reader: any ChangeReader
  private var table = WatchTable()
  /// All changes up to this one are told to the watches of the table.
  private var position = Revision(0)
  private var history = ""
  /// Whether changes are known that were not read yet.
  private var isBehind = false
  private var beats = Heartbeats()
  /// How many readings in a row, close to each other, found nothing that anybody here wants.
  private var vainReadings = 0
  private var lastReading = NIODeadline.uptimeNanoseconds(0)

  /// It looks so often at what it is asked while changes come without end.
  private static let readingsBetweenOrders = 8
  private static let changesForReading = 2_000
  private static let longestAttaching = TimeAmount.milliseconds(20)
  /// While others write without end what nobody here wants, it reads now and then rather than behind every commit. (Durable PUTs
  /// beside 1,000 such watches: 0.91 of the rate without them before, 0.985 with it, medians of turns.)
  private static let vainPauseMilliseconds: Int64 = 3
  private static let vainReadingsBeforePause = 4

  init(_ hub: WatchHub, _ reader: any ChangeReader) {
    self.hub = hub
    self.reader = reader
  }

  /// Works until the store closes.
  func run() {
    while reader.wait(forChanges: !table.isEmpty, milliseconds: pauseMilliseconds), !hub.live.follower.isStopped {
      let orders = hub.live.take()
      for watch in orders.detaching where watch.place != nil { leave(watch) }
      if table.isEmpty {
        isBehind = false
        guard orders.attaching.contains(where: { !$0.hasEnded }) else {
          hold(nil)
          continue
        }
        if let failure = begin() {
          end(orders.attaching, with: failure)
          hold(nil)
          continue
        }
      }
      guard pauseIfVain(), readOn() else { return }
      guard attach(orders.attaching) else { return }
      hold(table.isEmpty ? nil : position)
      if !beats.isEmpty { tellHeartbeats() }
    }
  }

  private var pauseMilliseconds: Int64? {
    if isBehind || !hub.live.isEmpty { return 0 }
    return beats.pauseMilliseconds
  }

  /// Finds out where the history is, since nobody watched until now.
  private func begin() -> Response? {
    switch hub.hold.whileOpening({ reader.newest() }) {
    case .success(let (sequence, history)):
      position = sequence
      self.history = history
      return nil
    case .failure(let error): return error.response
    }
  }

  /// Lets go of what is told to all.
  private func hold(_ position: Revision?) {
    hub.hold.move(to: position) { [hub] in hub.live.positions }
  }

  // MARK: Changes

  /// Pauses where the last readings were in vain. Returns false once the store is closing.
  private func pauseIfVain() -> Bool {
    let now = NIODeadline.now()
    if now - lastReading > .milliseconds(3 * Self.vainPauseMilliseconds) { vainReadings = 0 }
    lastReading = now
    guard vainReadings >= Self.vainReadingsBeforePause, !isBehind else { return true }
    return reader.wait(forChanges: false, milliseconds: Self.vainPauseMilliseconds)
  }

  /// Reads what is new. Returns false once the store is closing.
  private func readOn() -> Bool {
    isBehind = true
    vainReadings += 1
    for _ in 0..<Self.readingsBetweenOrders where isBehind && !table.isEmpty {
      let range = ChangeRange(
        after: position, withBefore: table.hasConditions, scanLimit: Self.changesForReading)
      switch tell(range, to: &table) {
      case .success(let progress):
        position = progress.sequence
        isBehind = !progress.isAtEnd
      case .failure(.closed): return false
      case .failure(let error):
        isBehind = false
        end(table.all, with: error.response)
      }
      guard waitForRoom() else { return false }
    }
    return true
  }

  /// The ways that were used since room was waited for.
  private var ports: [WatchPort] = []

  private func waitForRoom() -> Bool {
    defer { ports.removeAll(keepingCapacity: true) }
    return ports.allSatisfy { hub.live.follower.waitForRoom($0, reader) }
  }

  /// Reads changes once for all watches of a table. Those whose connections have no room leave it, to go on from where they
  /// are when there is some.
  private func tell(_ range: ChangeRange, to table: inout WatchTable) -> Result<ChangeProgress, StoreError> {
    var round = LiveRound(history: history.feedAddition)
    let result = table.withInterest { interest in
      reader.changes(range, of: interest) { change in
        if round.isFull { return .stop }
        round.tell(change, to: table)
        return .next
      }
    }
    guard case .success = result else {
      round.discard()
      return result
    }
    let deliveries = round.finish()
    if !deliveries.isEmpty || !round.paused.isEmpty { vainReadings = 0 }
    send(deliveries)
    for watch in round.paused {
      table.remove(watch)
      if let beat = watch.beat { beats.remove(watch, at: beat) }
      watch.outlet.park(watch)
    }
    return result
  }

  private func send(_ deliveries: [(port: WatchPort, delivery: WatchDelivery)]) {
    for (port, delivery) in deliveries {
      hub.send(delivery, to: port)
      ports.append(port)
    }
  }

  // MARK: Watches

  /// Takes watches in that have come near. Returns false once the store is closing.
  private func attach(_ watches: [Watch]) -> Bool {
    var late = WatchTable()
    var from = position
    for watch in watches where !watch.hasEnded {
      if let wanted = watch.request.history, wanted != history {
        hub.tell(.otherHistory(history), to: watch)
      } else if watch.position >= position {
        join(watch)
      } else if position.rawValue - watch.position.rawValue > 2 * Self.shortGap, !watch.beginsNow {
        hub.replays.add([watch])
      } else {
        // What it is told of the gap is news to one that begins now.
        if watch.beginsNow { tellLive(watch) }
        late.insert(watch)
        from = min(from, watch.position)
      }
    }
    let end = NIODeadline.now() + Self.longestAttaching
    while from < position, !late.isEmpty {
      let range = ChangeRange(after: from, through: position, withBefore: late.hasConditions)
      switch tell(range, to: &late) {
      case .success(let progress):
        from = progress.sequence
        // Others wait here. Conditions that take long to look through are looked through where connections take turns.
        if from < position, late.hasConditions, end < .now() { replay(&late, behind: from) { $0.request.tests > 0 } }
      case .failure(.closed): return false
      case .failure:
        // There they are told why.
        replay(&late, behind: from) { _ in true }
      }
      guard waitForRoom() else { return false }
    }
    for watch in late.all {
      late.remove(watch)
      join(watch)
    }
    return true
  }

  /// Lets watches of a table that are told all up to a change go on elsewhere.
  private func replay(_ table: inout WatchTable, behind sequence: Revision, where isMeant: (Watch) -> Bool) {
    for watch in table.all where isMeant(watch) {
      table.remove(watch)
      watch.position = max(watch.position, sequence)
      hub.replays.add([watch])
    }
  }

  /// Takes a watch in that is told all up to `position`.
  private func join(_ watch: Watch) {
    table.insert(watch)
    if watch.position < position { watch.position = position }
    if let seconds = watch.request.heartbeatSeconds { beats.add(watch, everySeconds: seconds) }
    tellLive(watch)
  }

  private func tellLive(_ watch: Watch) {
    guard watch.awaitsLive else { return }
    watch.awaitsLive = false
    var text = ByteBuffer()
    text.writeMarkerFrame("live", at: watch.position, watch.takeAddition(history.feedAddition))
    hub.send(WatchDelivery(text, to: watch), to: watch.outlet.port)
  }

  private func leave(_ watch: Watch) {
    table.remove(watch)
    if let beat = watch.beat { beats.remove(watch, at: beat) }
  }

  private func end(_ watches: [Watch], with error: Response) {
    for watch in watches {
      if watch.place != nil { leave(watch) }
      hub.tell(error, to: watch)
    }
  }

  private func tellHeartbeats() {
    let due = beats.takeDue()
    guard !due.isEmpty else { return }
    var round = LiveRound(history: history.feedAddition)
    for watch in due where !watch.hasEnded {
      var text = ByteBuffer()
      // A watch that came from a reading of its own may be further.
      text.writeMarkerFrame("heartbeat", at: max(position, watch.position), nil)
      round.tell(text, to: watch)
      if let seconds = watch.request.heartbeatSeconds { beats.add(watch, everySeconds: seconds) }
    }
    send(round.finish())
    ports.removeAll(keepingCapacity: true)
  }
}
