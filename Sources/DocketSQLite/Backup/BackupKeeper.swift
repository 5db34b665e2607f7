import DocketStore
import Glibc
import Logging

/// The thread of a shelf that looks after its files: does what is asked with them, has the series go on, and removes copies that
/// nobody fetches. It never makes a backup itself, so that nothing waits for one.
struct BackupKeeper: Sendable {
  let places: BackupPlaces
  let series: BackupSeries?
  let interruption: Interruption
  let clock: WallClock
  let logger: Logger
  /// The backups of others in the folder that were told of.
  private let others = Monitor<[String]>([])

  init(places: BackupPlaces, series: BackupSeries?, interruption: Interruption, clock: WallClock, logger: Logger) {
    self.places = places
    self.series = series
    self.interruption = interruption
    self.clock = clock
    self.logger = logger
  }

  /// It looks at the series again after so long at most, since clocks jump; and at one that has failed.
  private static let longestMilliseconds: Int64 = 60_000
  /// It looks again after so long where another backup is being made.
  private static let busyMilliseconds: Int64 = 1_000
  /// So often what is to end is told so: SQLite forgets it where it is between two statements.
  private static let interruptionMilliseconds: Int64 = 20

  /// Returns when the shelf has closed and nothing is being made any more.
  func run(_ state: Monitor<ShelfState>) {
    var look = WallClock.uptimeMilliseconds()
    while true {
      let now = WallClock.uptimeMilliseconds()
      if state.withLock({ $0.takeSeriesHasGrown() }) { look = now }
      if now >= look { look = now + continueSeries(state) }
      if let path = state.withLock({ $0.forgetCopy(at: now) }) { unlink(path) }
      if state.withLock({ $0.isEnding && $0.running != nil }) { interruption.interrupt() }
      let wait = state.withLock { millisecondsToNext($0, look: look) }
      let (work, hasEnded) = state.wait(
        until: { !$0.fileWork.isEmpty || $0.hasNews || ($0.isClosed && $0.running == nil) }, timeoutMilliseconds: wait
      ) { state in (state.takeFileWork(), state.isClosed && state.running == nil) }
      if let work {
        work(hasEnded ? .closed : nil)
      } else if hasEnded {
        return
      }
    }
  }

  private func millisecondsToNext(_ state: borrowing ShelfState, look: Int64) -> Int64 {
    let now = WallClock.uptimeMilliseconds()
    var next = look - now
    if let copy = state.copy { next = min(next, copy.endsMilliseconds - now) }
    if state.isEnding, state.running != nil { next = min(next, Self.interruptionMilliseconds) }
    return max(0, next)
  }

  /// Has the next backup of the series made if it is due.
  /// - Returns: after how many milliseconds to look again.
  private func continueSeries(_ state: Monitor<ShelfState>) -> Int64 {
    guard let series, let folder = places.folder else { return Self.longestMilliseconds }
    let now = clock.milliseconds() / 1000
    let backups = SeriesFolder(folder, besides: places.database)
    let history = SeriesFolder.history(ofDatabase: places.database)
    let due = series.secondsToNext(in: backups, of: history, now: now) * 1000
    guard due == 0 else { return min(due, Self.longestMilliseconds) }
    let name = BackupSeries.name(at: now)
    let order = ShelfState.Order(name: name, path: "\(folder)/\(name)") { [clock] result in
      guard case .success(let made) = result else { return }
      series.removeSurplus(in: backups, of: made.history, now: clock.milliseconds() / 1000)
      warn(of: backups.names(besides: made.history), in: folder)
      state.withLock { $0.noteSeriesHasGrown() }
      state.broadcast()
    }
    guard state.withLock({ $0.place(order) }) == nil else { return Self.busyMilliseconds }
    state.broadcast()
    // One that has failed is due again then.
    return Self.longestMilliseconds
  }

  /// Says once that there are backups of which this series knows nothing.
  private func warn(of names: [String], in folder: String) {
    let isNew = others.withLock { others in
      defer { others = names }
      return !Set(names).isSubset(of: others)
    }
    guard isNew, let first = names.min() else { return }
    logger.warning(
      "the backup folder has backups of another history, of another database or from before a restore; they are never removed here: give each database a folder of its own, and remove what is not needed",
      metadata: ["folder": "\(folder)", "count": "\(names.count)", "oldest": "\(first)"])
  }
}
