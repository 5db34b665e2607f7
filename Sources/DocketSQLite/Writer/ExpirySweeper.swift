import DocketStore

/// Clears documents away that have expired: each gets a change `expired` and a tombstone, in short transactions between
/// the groups. Readers do not wait for it; for them a document is gone at its very end.
final class ExpirySweeper {
  private let transaction: WriteTransaction
  private let tables: DocumentTables
  private let next: Statement
  private let expired: Statement
  /// What was written since the last step.
  private var writes = 0
  /// When the last step was, by the uptime clock.
  private var lastStepMilliseconds = WallClock.uptimeMilliseconds()
  private let intervalMilliseconds: Int64

  /// One step takes so many documents at most, and no more behind those that make so much history. In the midst of writes
  /// there is one for every quarter as many, so that documents go faster than any load makes them, and one now and then
  /// however few writes there are.
  private static let stepDocuments: Int64 = 1_024
  private static let stepBytes = 4 << 20

  init(
    _ connection: Connection, transaction: WriteTransaction, tables: DocumentTables, options: SQLiteStoreOptions
  ) throws(SQLiteError) {
    intervalMilliseconds = options.sweepMilliseconds
    self.transaction = transaction
    self.tables = tables
    next = try connection.prepare(
      "SELECT expires_at FROM document_rows WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1")
    expired = try connection.prepare(
      """
      SELECT collection, id FROM document_rows
      WHERE expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2
      """)
  }

  /// When the next document expires, by the wall clock in milliseconds; nil if none will.
  func nextExpiry() throws(SQLiteError) -> Int64? {
    defer { next.reset() }
    return try next.step() ? next.int64(0) : nil
  }

  /// To be called after each group: makes one step where it keeps up with what is written, and a write that comes
  /// meanwhile waits for no more than that.
  func afterGroup(writes count: Int, wall: Int64, floor: Int64) throws(SQLiteError) {
    writes += count
    let now = WallClock.uptimeMilliseconds()
    guard writes >= Self.stepDocuments / 4 || now - lastStepMilliseconds >= intervalMilliseconds else {
      return
    }
    writes = 0
    lastStepMilliseconds = now
    _ = try step(wall: wall, floor: floor)
  }

  /// Clears some documents away, if any have expired. Returns whether it did; false also if another process is writing.
  /// - Parameters:
  ///   - wall: the time by which documents expire.
  ///   - floor: changes are dated no earlier than this.
  func step(wall: Int64, floor: Int64) throws(SQLiteError) -> Bool {
    guard let end = try nextExpiry(), end <= wall, try transaction.begin() else { return false }
    let paths = try expiredPaths(wall: wall)
    var newest = try tables.beginTransaction()
    newest.at = max(wall, newest.at, floor)
    let historyBytes = tables.historyBytes
    for path in paths where tables.historyBytes - historyBytes < Self.stepBytes {
      defer { tables.release() }
      guard let row = try tables.find(path.collection, path.id), row.isExpired(wall: wall) else { continue }
      newest.sequence += 1
      try tables.remove(row, as: .expired, sequence: newest.sequence, at: newest.at, batch: nil)
    }
    try transaction.commit()
    return !paths.isEmpty
  }

  private func expiredPaths(wall: Int64) throws(SQLiteError) -> [DocumentPath] {
    expired.bind(wall, at: 1)
    expired.bind(Self.stepDocuments, at: 2)
    defer { expired.reset() }
    var paths: [DocumentPath] = []
    while try expired.step() {
      paths.append(
        DocumentPath(collection: CollectionPath(unchecked: expired.string(0)), id: expired.string(1)))
    }
    return paths
  }
}
