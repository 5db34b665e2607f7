import DocketStore
import Logging

/// Makes the backups of a shelf, one after the other, on a thread of its own.
struct BackupMaker: Sendable {
  /// Copies the database to a path.
  typealias Copying =
    @Sendable (
      _ target: String, _ options: DatabaseBackup.Options, _ interruption: Interruption,
      _ progress: (CareProgress) -> Bool
    ) throws(BackupError) -> DatabaseBackup.Outcome

  let copy: Copying
  /// How long a copy for fetching is kept from its making on.
  let fetchSeconds: Int64
  let interruption: Interruption
  let clock: WallClock
  let logger: Logger

  static func copying(_ database: String) -> Copying {
    { target, options, interruption, progress throws(BackupError) in
      try DatabaseBackup.run(database, to: target, options: options, interruption: interruption, progress: progress)
    }
  }

  /// Returns when the shelf has closed.
  func run(_ state: Monitor<ShelfState>) {
    while let order = next(state) {
      let result = make(order, state)
      state.withLock {
        $0.end(order, result, endsMilliseconds: WallClock.uptimeMilliseconds() + fetchSeconds * 1000)
      }
      state.broadcast()
      order.completion(result)
    }
  }

  private func next(_ state: Monitor<ShelfState>) -> ShelfState.Order? {
    state.wait(until: { $0.order != nil || $0.isClosed }) { $0.takeOrder() }
  }

  private func make(_ order: ShelfState.Order, _ state: Monitor<ShelfState>) -> Result<NewBackup, StoreError> {
    // What is ended already leaves no trace.
    guard !state.withLock(\.isEnding) else { return .failure(.closed) }
    var options = DatabaseBackup.Options()
    options.acceptsFaults = order.acceptsFaults
    do throws(BackupError) {
      let outcome = try copy(order.path, options, interruption) { progress in
        state.withLock { $0.note(percent: progress.percent) }
      }
      logger.notice(
        "a backup was made",
        metadata: [
          "name": "\(order.name)", "bytes": "\(outcome.bytes)", "revision": "\(outcome.revision.rawValue)",
          "faults": "\(outcome.report.faults)",
        ])
      return .success(
        NewBackup(
          file: StoredBackup(
            name: order.name, bytes: outcome.bytes, created: Timestamp(milliseconds: clock.milliseconds())),
          revision: outcome.revision, history: outcome.report.history ?? "", faults: outcome.report.faults))
    } catch {
      if error != .stopped {
        logger.error("a backup was not made", metadata: ["name": "\(order.name)", "error": "\(error)"])
      }
      return .failure(StoreError(error, ofBackup: order.name))
    }
  }
}
