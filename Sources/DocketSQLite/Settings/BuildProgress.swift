import CSQLite
import DocketStore
import Logging
import NIOConcurrencyHelpers
import Synchronization

/// How far the writer has come with what a change of settings needs, for whoever asks.
final class BuildProgress: Sendable {
  private let state = NIOLockedValueBox<StoreStatus.Build?>(nil)
  private let isStopped = Atomic(false)

  /// Ends what is being made, and all that is begun later, with SQLITE_INTERRUPT: the store closes.
  func stop() { isStopped.store(true, ordering: .relaxed) }

  var current: StoreStatus.Build? { state.withLockedValue { $0 } }

  /// Runs statements on a connection, and tells meanwhile how far they are.
  /// - Parameters:
  ///   - name: of what they make.
  ///   - steps: how many steps of SQLite's virtual machine they will take, about; nil where that is not known, and nothing is
  ///     told of how far they are.
  func follow<Value>(
    _ connection: Connection, making name: String, steps: Int64?, logger: Logger,
    _ body: () throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value {
    let follower = Follower(self, name: name, steps: steps, logger: logger)
    state.withLockedValue { $0 = StoreStatus.Build(name: name, percent: 0) }
    // https://sqlite.org/c3ref/progress_handler.html
    sqlite3_progress_handler(
      connection.handle, Follower.stepsBetweenLooks,
      { follower in
        guard let follower else { return 0 }
        return Unmanaged<Follower>.fromOpaque(follower).takeUnretainedValue().look() ? 0 : 1
      }, Unmanaged.passUnretained(follower).toOpaque())
    defer {
      sqlite3_progress_handler(connection.handle, 0, nil, nil)
      state.withLockedValue { $0 = nil }
      withExtendedLifetime(follower) {}
    }
    return try body()
  }

  /// Counts the steps of one run; it belongs to the thread of that run.
  private final class Follower {
    private let progress: BuildProgress
    private let name: String
    private let steps: Int64?
    private let logger: Logger
    private var done: Int64 = 0
    private var percent = 0
    private var lastLogMilliseconds = WallClock.uptimeMilliseconds()

    static let stepsBetweenLooks: Int32 = 10_000
    private static let logMilliseconds: Int64 = 2_000

    init(_ progress: BuildProgress, name: String, steps: Int64?, logger: Logger) {
      self.progress = progress
      self.name = name
      self.steps = steps.map { max($0, 1) }
      self.logger = logger
    }

    /// Returns whether to go on.
    func look() -> Bool {
      guard !progress.isStopped.load(ordering: .relaxed) else { return false }
      guard let steps else { return true }
      done += Int64(Self.stepsBetweenLooks)
      // The number is an estimate: nothing is done before it is.
      let now = Int(min(99, 100 * done / steps))
      guard now > percent else { return true }
      percent = now
      progress.state.withLockedValue { $0 = StoreStatus.Build(name: name, percent: now) }
      let time = WallClock.uptimeMilliseconds()
      guard time - lastLogMilliseconds >= Self.logMilliseconds else { return true }
      lastLogMilliseconds = time
      logger.notice("making what the settings need", metadata: ["name": "\(name)", "percent": "\(now)"])
      return true
    }
  }
}
