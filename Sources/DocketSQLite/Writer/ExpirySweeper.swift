import DocketStore

/// Clears documents away that have expired: each gets a change `expired` and a tombstone, in short transactions between
/// the groups. Readers do not wait for it; for them a document is gone at its very end.
final class ExpirySweeper {
  private let transaction: WriteTransaction
  private let tables: DocumentTables
  private let next: Statement
  private let expired: Statement
  private let savepoint: Savepoint
  /// What was written since the last steps.
  private var writes = 0
  private var bytes = 0
  /// When the last step was, by the uptime clock.
  private var lastStepMilliseconds = WallClock.uptimeMilliseconds()
  private let intervalMilliseconds: Int64
  /// So many that have expired stay, since a trigger of an operator's refuses their end; the next step is about those behind.
  private var stayed = 0
  /// So many did when all had been looked at.
  private var lastStayed = 0
  /// The next step takes no more: for the one behind a trigger has undone all. It comes first then, and stays.
  private var beforeUndoing: Int?
  /// Why the last of them stays.
  private var refusal: SQLiteError?

  /// One step takes so many documents at most, and no more behind those that make so much history. In the midst of writes
  /// there is one for every quarter as many, and for every quarter as much that is to end, so that documents go faster than any
  /// load makes them; and one now and then however few writes there are.
  private static let stepDocuments = 1_024
  private static let stepBytes = 4 << 20

  init(
    _ connection: Connection, transaction: WriteTransaction, tables: DocumentTables, options: SQLiteStoreOptions
  ) throws(SQLiteError) {
    intervalMilliseconds = options.sweepMilliseconds
    savepoint = try Savepoint(connection)
    self.transaction = transaction
    self.tables = tables
    next = try connection.prepare(
      "SELECT expires_at FROM document_rows WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1 OFFSET ?1")
    expired = try connection.prepare(
      """
      SELECT collection, id FROM document_rows
      WHERE expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at, key LIMIT ?2 OFFSET ?3
      """)
  }

  /// When the next document expires, by the wall clock in milliseconds, but for those that stay; nil if none will.
  func nextExpiry() throws(SQLiteError) -> Int64? { try expiry(behind: lastStayed) }

  private func expiry(behind count: Int) throws(SQLiteError) -> Int64? {
    next.bind(Int64(count), at: 1)
    defer { next.reset() }
    return try next.step() ? next.int64(0) : nil
  }

  /// To be called after each group: takes as many steps as keep up with what is written, and a write that comes meanwhile waits
  /// for no more than those.
  func afterGroup(writes count: Int, wall: Int64, floor: Int64) throws(SQLiteError) {
    writes += count
    bytes += tables.takeMortalBytes()
    let now = WallClock.uptimeMilliseconds()
    let due = max(writes / (Self.stepDocuments / 4), bytes / (Self.stepBytes / 4))
    guard due > 0 || now - lastStepMilliseconds >= intervalMilliseconds else { return }
    writes = 0
    bytes = 0
    lastStepMilliseconds = now
    for _ in 0..<max(due, 1) {
      guard try step(wall: wall, floor: floor) else { return }
    }
  }

  /// Clears some documents away, if any have expired. Returns whether there may be more; false also if another process is writing.
  /// - Parameters:
  ///   - wall: the time by which documents expire.
  ///   - floor: changes are dated no earlier than this.
  func step(wall: Int64, floor: Int64) throws(SQLiteError) -> Bool {
    guard let end = try expiry(behind: stayed), end <= wall else {
      (stayed, lastStayed) = (0, stayed)
      return false
    }
    guard try transaction.begin() else { return false }
    var newest = try tables.beginTransaction()
    newest.at = max(wall, newest.at, floor)
    let paths = try expiredPaths(wall: wall)
    let historyBytes = tables.historyBytes
    let stayedBefore = stayed
    var looked = 0
    do {
      for path in paths where tables.historyBytes - historyBytes < Self.stepBytes {
        if try !remove(path, wall: wall, behind: &newest) { stayed += 1 }
        looked += 1
      }
    } catch {
      guard error.isRefusal else { throw error }
      tables.forget()
      try transaction.undo()
      refusal = error
      stayed = looked == 0 ? stayedBefore + 1 : stayedBefore
      beforeUndoing = looked == 0 ? nil : looked
      return true
    }
    try transaction.commit()
    beforeUndoing = nil
    return true
  }

  /// Why documents that have expired stay, if any did since this was asked.
  func takeRefusal() -> SQLiteError? {
    defer { refusal = nil }
    return refusal
  }

  /// Returns false where it stays.
  private func remove(
    _ path: DocumentPath, wall: Int64, behind newest: inout (sequence: Int64, at: Int64)
  ) throws(SQLiteError) -> Bool {
    if tables.isSimple { return try end(path, wall: wall, behind: &newest) }
    try savepoint.set()
    let hasEnded: Bool
    do {
      hasEnded = try end(path, wall: wall, behind: &newest)
    } catch {
      tables.forget(behind: newest.sequence)
      guard savepoint.isLeft(behind: error) else { throw error }
      try savepoint.goBack()
      refusal = error
      return false
    }
    try savepoint.release()
    return hasEnded
  }

  private func end(
    _ path: DocumentPath, wall: Int64, behind newest: inout (sequence: Int64, at: Int64)
  ) throws(SQLiteError) -> Bool {
    defer { tables.release() }
    guard let row = try tables.find(path.collection, path.id), row.isExpired(wall: wall) else { return false }
    if let change = try tables.newestOfTriggers() {
      newest = (max(newest.sequence, change.sequence), max(newest.at, change.at))
    }
    try tables.remove(row, as: .expired, sequence: newest.sequence + 1, at: newest.at, batch: nil)
    newest.sequence += 1
    return true
  }

  private func expiredPaths(wall: Int64) throws(SQLiteError) -> [DocumentPath] {
    expired.bind(wall, at: 1)
    expired.bind(Int64(beforeUndoing ?? Self.stepDocuments), at: 2)
    expired.bind(Int64(stayed), at: 3)
    defer { expired.reset() }
    var paths: [DocumentPath] = []
    while try expired.step() {
      paths.append(
        DocumentPath(collection: CollectionPath(unchecked: expired.string(0)), id: expired.string(1)))
    }
    return paths
  }
}
