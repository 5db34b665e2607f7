import DocketStore

/// Removes history that is too old or too large, oldest first, in short transactions between the groups.
///
/// What is removed is a prefix of `changes`, never its newest row, and each tombstone whose change was removed.
final class HistoryPruner {
  private let transaction: WriteTransaction
  private let options: SQLiteStoreOptions
  private let size: HistorySize
  private let oldest: Statement
  private let newest: Statement
  private let selectOldest: Statement
  private let deleteChanges: Statement
  private let deleteTombstone: Statement
  private let vacuum: Statement

  private var averageRowBytes: Int64 = 0
  private var sampledMilliseconds = Int64.min / 2
  private var writesSinceStep = 0

  /// One step in the midst of writes comes after so many of them, and removes up to twice as many rows, so pruning is
  /// faster than any load.
  private static let writesBetweenSteps = 512
  private static let stepRows: Int64 = 1_024
  private static let stepBytes: Int64 = 1 << 20
  private static let vacuumPages = 256
  private static let sampleIntervalMilliseconds: Int64 = 2_000
  private static let dayMilliseconds: Int64 = 86_400_000

  init(_ connection: Connection, transaction: WriteTransaction, options: SQLiteStoreOptions) throws(SQLiteError) {
    self.transaction = transaction
    self.options = options
    size = try HistorySize(connection)
    oldest = try connection.prepare("SELECT sequence, at FROM changes ORDER BY sequence LIMIT 1")
    newest = try connection.prepare("SELECT max(sequence) FROM changes")
    selectOldest = try connection.prepare(
      """
      SELECT sequence, at, kind IN ('deleted', 'expired'), collection, id FROM changes
      WHERE sequence < ?1 ORDER BY sequence LIMIT ?2
      """)
    deleteChanges = try connection.prepare("DELETE FROM changes WHERE sequence <= ?1")
    deleteTombstone = try connection.prepare(
      "DELETE FROM tombstones WHERE collection = ?1 AND id = ?2 AND sequence = ?3")
    vacuum = try connection.prepare("PRAGMA incremental_vacuum(\(Self.vacuumPages))")
  }

  /// To be called after each group: makes a step when it is time for one.
  /// - Parameter wall: the time by which history ages.
  func afterGroup(writes: Int, wall: Int64) throws(SQLiteError) {
    writesSinceStep += writes
    guard writesSinceStep >= Self.writesBetweenSteps else { return }
    _ = try step(wall: wall)
  }

  /// Removes some rows, if any are too many. Returns whether it did; false also if another process is writing.
  func step(wall: Int64) throws(SQLiteError) -> Bool {
    writesSinceStep = 0
    guard try excess(wall: wall) != nil, try transaction.begin() else { return false }
    do {
      // Another process may have written, or pruned, until now.
      guard let excess = try excess(wall: wall) else {
        try transaction.undo()
        return false
      }
      try remove(excess)
      try transaction.commit()
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

  /// What is too much: rows that are older than `cutoff`, and as many as `rows` whatever their age.
  private struct Excess {
    let newest: Int64
    let cutoff: Int64
    let rows: Int64
  }

  private func excess(wall: Int64) throws(SQLiteError) -> Excess? {
    guard let range = try range(), range.newest > range.oldest else { return nil }
    let cutoff =
      options.historyDays == 0 ? .max : wall - Int64(clamping: options.historyDays).clampedProduct(Self.dayMilliseconds)
    let rows = try rowsBeyondShare(oldest: range.oldest, newest: range.newest)
    guard range.oldestAt < cutoff || rows > 0 else { return nil }
    return Excess(newest: range.newest, cutoff: cutoff, rows: rows)
  }

  private func rowsBeyondShare(oldest: Int64, newest: Int64) throws(SQLiteError) -> Int64 {
    let now = WallClock.uptimeMilliseconds()
    if now - sampledMilliseconds >= Self.sampleIntervalMilliseconds {
      sampledMilliseconds = now
      averageRowBytes = try size.averageRowBytes(oldest: oldest, newest: newest)
    }
    guard averageRowBytes > 0 else { return 0 }
    let historyBytes = (newest - oldest + 1) * averageRowBytes
    guard historyBytes > options.historyFloorBytes else { return 0 }
    let allowed = max(try size.usedBytes() / 100 * Int64(options.historySharePercent), options.historyFloorBytes)
    return historyBytes <= allowed ? 0 : (historyBytes - allowed) / averageRowBytes + 1
  }

  private func range() throws(SQLiteError) -> (oldest: Int64, oldestAt: Int64, newest: Int64)? {
    defer {
      oldest.reset()
      newest.reset()
    }
    guard try oldest.step(), try newest.step() else { return nil }
    return (oldest.int64(0), oldest.int64(1), newest.int64(0))
  }

  private func remove(_ excess: Excess) throws(SQLiteError) {
    selectOldest.bind(excess.newest, at: 1)
    selectOldest.bind(max(min(Self.stepRows, Self.stepBytes / max(averageRowBytes, 1)), 1), at: 2)
    var removed: Int64 = 0
    var horizon: Int64?
    while try selectOldest.step() {
      guard removed < excess.rows || selectOldest.int64(1) < excess.cutoff else { break }
      horizon = selectOldest.int64(0)
      removed += 1
      if selectOldest.int64(2) != 0 { try removeTombstone() }
    }
    selectOldest.reset()
    guard let horizon else { return }
    deleteChanges.bind(horizon, at: 1)
    try deleteChanges.run()
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
