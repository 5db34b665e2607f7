import DocketStore
import NIOCore

/// What was kept of requests under their idempotency keys, for a time and up to a number.
final class KeptAnswers {
  private let transaction: WriteTransaction
  private let options: SQLiteStoreOptions
  private let select: Statement
  private let insert: Statement
  private let delete: Statement
  private let oldest: Statement
  private let newest: Statement
  private let deleteOldest: Statement
  /// What was kept since the last step.
  private var additions = 0

  /// One step drops so many at most; in the midst of writes there is one for every quarter as many that were kept.
  private static let stepRows: Int64 = 1_024

  init(_ connection: Connection, transaction: WriteTransaction, options: SQLiteStoreOptions) throws(SQLiteError) {
    self.transaction = transaction
    self.options = options
    select = try connection.prepare("SELECT request, answer, ends_at FROM kept_answers WHERE key = ?1")
    insert = try connection.prepare("INSERT INTO kept_answers(key, request, ends_at, answer) VALUES (?1, ?2, ?3, ?4)")
    delete = try connection.prepare("DELETE FROM kept_answers WHERE key = ?1")
    oldest = try connection.prepare(
      "SELECT number, ends_at FROM kept_answers WHERE number > ?1 ORDER BY number LIMIT 1")
    newest = try connection.prepare("SELECT max(number) FROM kept_answers")
    deleteOldest = try connection.prepare("DELETE FROM kept_answers WHERE number <= ?1")
  }

  /// What was kept under a key, if anything still is.
  func find(_ key: IdempotencyKey, wall: Int64) throws(SQLiteError) -> (fingerprint: UInt64, answer: ByteBuffer)? {
    select.bind(key.name, at: 1)
    defer { select.reset() }
    guard try select.step(), select.int64(2) > wall else { return nil }
    return (UInt64(bitPattern: select.int64(0)), ByteBuffer(bytes: select.bytes(1)))
  }

  /// Keeps an answer under a key under which nothing is kept any more.
  func keep(_ answer: ByteBuffer, under key: IdempotencyKey, wall: Int64) throws(SQLiteError) {
    additions += 1
    // What has ended may not have been dropped yet.
    delete.bind(key.name, at: 1)
    try delete.run()
    insert.bind(key.name, at: 1)
    insert.bind(Int64(bitPattern: key.fingerprint), at: 2)
    insert.bind(wall + Int64(options.keptAnswerHours) * 3_600_000, at: 3)
    try insert.run(borrowing: answer, at: 4)
  }

  /// To be called after each group: makes one step where it keeps up with what is kept.
  func afterGroup(wall: Int64) throws(SQLiteError) {
    guard additions >= Self.stepRows / 4 else { return }
    additions = 0
    _ = try step(wall: wall)
  }

  /// Drops some of the oldest, if they have ended or are too many. Returns whether it did; false also if another process
  /// is writing.
  func step(wall: Int64) throws(SQLiteError) -> Bool {
    guard try horizon(wall: wall, rows: 1) != nil, try transaction.begin() else { return false }
    guard let horizon = try horizon(wall: wall, rows: Self.stepRows) else {
      try transaction.undo()
      return false
    }
    deleteOldest.bind(horizon, at: 1)
    try deleteOldest.run()
    try transaction.commit()
    return true
  }

  /// The number up to which all can be dropped, `rows` at most; nil if none can.
  private func horizon(wall: Int64, rows: Int64) throws(SQLiteError) -> Int64? {
    defer { newest.reset() }
    guard try newest.step(), let newest = newest.optionalInt64(0) else { return nil }
    var horizon: Int64?
    for _ in 0..<rows {
      oldest.bind(horizon ?? 0, at: 1)
      defer { oldest.reset() }
      guard try oldest.step() else { break }
      let number = oldest.int64(0)
      guard number <= newest - Int64(options.keptAnswers) || oldest.int64(1) <= wall else { break }
      horizon = number
    }
    return horizon
  }
}
