import DocketStore

/// Removes history that is too old or too large, oldest first: in the midst of writes within the transaction of a group,
/// whose commit and sync it shares, and in short transactions of its own while nobody writes.
///
/// What is removed is a prefix of `changes`, never its newest row nor what somebody needs (`KeptChanges`), and each tombstone
/// whose change was removed.
final class HistoryPruner {
  private let connection: Connection
  private let transaction: WriteTransaction
  private let kept: KeptChanges
  private let savepoint: Savepoint
  private let options: SQLiteStoreOptions
  private let tables: DocumentTables
  private var size: HistorySize
  private let oldest: Statement
  private let newest: Statement
  private let selectOldest: Statement
  private let deleteChanges: Statement
  private let deleteTombstone: Statement
  private let vacuum: Statement

  /// What was written since the last step.
  private var writes = 0
  private var bytes = 0
  /// Whether the last look has measured rows, so that the next one may know more.
  private var isLearning = false
  /// Whether the last step left something to remove, or to find out.
  private var isBehind = false
  /// A trigger of an operator's has undone a whole group for the sake of old history: nothing is removed among writes until it
  /// lets a step pass that does nothing else.
  private var isSuspended = false

  /// In the midst of writes, so many of them, or so many bytes, call for one step, which removes up to twice as many
  /// rows or bytes: pruning is faster than any load.
  private static let writesForStep = 512
  private static let bytesForStep = 512 << 10
  private static let stepRows: Int64 = 1_024
  private static let stepPages: Int64 = 256
  /// A step looks so often whether it has freed its pages: rows can be small or large, which their headers do not tell.
  private static let chunkRows: Int64 = 32
  /// So many rows are measured at each step.
  private static let learnedAmongWrites: Int64 = 64
  private static let learnedAtRest: Int64 = 1_024
  private static let vacuumPages = 256
  private static let dayMilliseconds: Int64 = 86_400_000

  init(
    _ connection: Connection, tables: DocumentTables, transaction: WriteTransaction, kept: KeptChanges,
    options: SQLiteStoreOptions
  ) throws(SQLiteError) {
    self.connection = connection
    self.tables = tables
    self.kept = kept
    self.transaction = transaction
    savepoint = try Savepoint(connection)
    self.options = options
    size = try HistorySize(connection, tables: tables)
    oldest = try connection.prepare("SELECT sequence, at FROM changes ORDER BY sequence LIMIT 1")
    newest = try connection.prepare("SELECT max(sequence) FROM changes")
    selectOldest = try connection.prepare(
      """
      SELECT sequence, at, kind IN ('deleted', 'expired'), collection, id, before FROM changes
      WHERE sequence < ?1 ORDER BY sequence LIMIT ?2
      """)
    deleteChanges = try connection.prepare("DELETE FROM changes WHERE sequence <= ?1")
    deleteTombstone = try connection.prepare(
      "DELETE FROM tombstones WHERE collection = ?1 AND id = ?2 AND sequence = ?3")
    vacuum = try connection.prepare("PRAGMA incremental_vacuum(\(Self.vacuumPages))")
  }

  /// To be called in the transaction of each group, behind its writes: takes as many steps as keep up with what is written.
  /// - Parameters:
  ///   - writes: how many rows the group has added to the history.
  ///   - bytes: how large their texts are.
  ///   - wall: the time by which history ages.
  /// - Returns: why the database refuses it, if so; then nothing was removed, and the writes stay, unless no transaction is left: they
  ///   are to be made again then.
  func inGroup(writes: Int, bytes: Int, wall: Int64) throws(SQLiteError) -> SQLiteError? {
    self.writes += writes
    self.bytes += bytes
    let isDue = self.writes >= Self.writesForStep || self.bytes >= Self.bytesForStep
    guard isDue || isBehind, !isSuspended else { return nil }
    // Rounded up, since what is forgotten each time would add up.
    let due = max(self.writes / Self.writesForStep, (self.bytes - 1) / Self.bytesForStep) + 1
    self.writes = 0
    self.bytes = 0
    try savepoint.set()
    do {
      isBehind = false
      for _ in 0..<due {
        guard
          let excess = try excess(
            wall: wall, committed: tables.committedSequence, sparing: Int64(writes), learning: Self.learnedAmongWrites)
        else {
          isBehind = isLearning
          break
        }
        isBehind = try remove(excess)
      }
    } catch {
      selectOldest.reset()
      guard error.isRefusal else { throw error }
      if connection.isInTransaction { try savepoint.goBack() } else { isSuspended = true }
      return error
    }
    try savepoint.release()
    return nil
  }

  /// Removes some rows, if any are too many, or finds out whether they are. Returns whether there may be more to do; false also if
  /// another process is writing.
  func step(wall: Int64) throws(SQLiteError) -> Bool {
    guard try excess(wall: wall, learning: Self.learnedAtRest) != nil else { return isLearning }
    guard try transaction.begin() else { return false }
    do {
      // Another process may have written, or pruned, until now.
      guard let excess = try excess(wall: wall, learning: Self.learnedAtRest) else {
        try transaction.undo()
        return isLearning
      }
      _ = try remove(excess)
      try transaction.commit()
      isSuspended = false
      return true
    } catch {
      selectOldest.reset()
      throw error
    }
  }

  /// Gives some free pages back to the file system. Returns whether there may be more.
  func giveBackPages() throws(SQLiteError) -> Bool {
    let before = try size.freePages()
    guard before > 0, try transaction.begin() else { return false }
    try vacuum.run()
    try transaction.commit()
    let after = try size.freePages()
    return after > 0 && after < before
  }

  /// What is too much: rows that are older than `cutoff`, and whatever their age as many as it takes to come down to `bytes`; of those
  /// before `bound`.
  private struct Excess {
    let bound: Int64
    let cutoff: Int64
    let bytes: Int64
  }

  /// - Parameters:
  ///   - committed: the newest change that cannot be undone any more; nil: all that there are.
  ///   - own: so many of the newest rows are this group's own, and stay: whoever had them kept a moment ago, and saw none of them
  ///     yet, is to find them.
  ///   - learning: so many rows are measured, where not all are yet.
  private func excess(
    wall: Int64, committed: Int64? = nil, sparing own: Int64 = 0, learning: Int64
  ) throws(SQLiteError) -> Excess? {
    isLearning = false
    guard let range = try range() else { return nil }
    try size.follow(oldest: range.oldest, committed: committed ?? range.newest)
    let bound = min(range.newest - max(own - 1, 0), kept.first)
    guard range.oldest < bound else { return nil }
    let cutoff =
      options.historyDays == 0 ? .max : wall - Int64(clamping: options.historyDays).clampedProduct(Self.dayMilliseconds)
    let used = try size.usedBytes()
    let allowed = max(used / 100 * Int64(options.historySharePercent), options.historyFloorBytes)
    if used > allowed, size.knownBytes <= allowed { isLearning = try size.learn(oldest: range.oldest, rows: learning) }
    guard range.oldestAt < cutoff || size.knownBytes > allowed else { return nil }
    return Excess(bound: bound, cutoff: cutoff, bytes: allowed)
  }

  private func range() throws(SQLiteError) -> (oldest: Int64, oldestAt: Int64, newest: Int64)? {
    defer {
      oldest.reset()
      newest.reset()
    }
    guard try oldest.step(), try newest.step() else { return nil }
    return (oldest.int64(0), oldest.int64(1), newest.int64(0))
  }

  /// Takes one step. Returns whether it came to its end before the excess did.
  private func remove(_ excess: Excess) throws(SQLiteError) -> Bool {
    let freePages = try size.freePages()
    var removed: Int64 = 0
    while removed < Self.stepRows {
      let count = try removeChunk(excess)
      removed += count
      guard count == Self.chunkRows else { return false }
      guard try size.freePages() - freePages < Self.stepPages else { return true }
    }
    return true
  }

  /// Removes the oldest rows, a few. Returns how many there were.
  private func removeChunk(_ excess: Excess) throws(SQLiteError) -> Int64 {
    selectOldest.bind(excess.bound, at: 1)
    selectOldest.bind(Self.chunkRows, at: 2)
    var count: Int64 = 0
    var horizon: Int64 = 0
    while try selectOldest.step() {
      guard size.knownBytes > excess.bytes || selectOldest.int64(1) < excess.cutoff else { break }
      horizon = selectOldest.int64(0)
      size.willRemove(horizon, texts: (3...5).reduce(0) { $0 + Int64(selectOldest.bytes($1).count) })
      count += 1
      if selectOldest.int64(2) != 0 { try removeTombstone() }
    }
    selectOldest.reset()
    if count > 0 {
      deleteChanges.bind(horizon, at: 1)
      try deleteChanges.run()
      try connection.checkRowsChanged()
    }
    return count
  }

  /// Removes the tombstone of the change on which `selectOldest` stands. It is of a later change, or there is none, if
  /// the document has come back since.
  private func removeTombstone() throws(SQLiteError) {
    deleteTombstone.bind(borrowing: selectOldest.bytes(3), at: 1)
    deleteTombstone.bind(borrowing: selectOldest.bytes(4), at: 2)
    deleteTombstone.bind(selectOldest.int64(0), at: 3)
    try deleteTombstone.run()
  }
}

extension Int64 {
  /// The product, or the largest number if it is beyond that.
  fileprivate func clampedProduct(_ factor: Int64) -> Int64 {
    let (product, isTooLarge) = multipliedReportingOverflow(by: factor)
    return isTooLarge ? .max / 2 : product
  }
}
