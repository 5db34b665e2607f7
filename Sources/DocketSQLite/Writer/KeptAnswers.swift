import DocketStore
import NIOCore

/// What was kept of requests under their idempotency keys, for a time and up to a size.
final class KeptAnswers {
  private let connection: Connection
  private let transaction: WriteTransaction
  private let options: SQLiteStoreOptions
  private let select: Statement
  private let insert: Statement
  private let delete: Statement
  private let oldest: Statement
  private let deleteOldest: Statement
  /// What was kept since the last steps.
  private var additions = 0
  private var addedBytes: Int64 = 0
  /// The size of all that was ever kept. It may be too large after a transaction that was undone, which does no harm.
  private var bytesSoFar: Int64

  /// One step drops so many at most; in the midst of writes there is one for every quarter as many that were kept, and for every
  /// quarter as much.
  private static let stepRows: Int64 = 1_024
  /// A step ends with the answer behind which it has dropped so many bytes.
  private static let stepBytes: Int64 = 8 << 20
  /// What a row takes besides its answer: its key twice, numbers, and its share of pages that are not full.
  private static let rowOverheadBytes: Int64 = 256

  init(_ connection: Connection, transaction: WriteTransaction, options: SQLiteStoreOptions) throws(SQLiteError) {
    self.connection = connection
    self.transaction = transaction
    self.options = options
    select = try connection.prepare("SELECT request, answer, ends_at FROM kept_answers WHERE key = ?1")
    insert = try connection.prepare(
      "INSERT INTO kept_answers(key, request, ends_at, bytes_so_far, answer) VALUES (?1, ?2, ?3, ?4, ?5)")
    delete = try connection.prepare("DELETE FROM kept_answers WHERE key = ?1")
    oldest = try connection.prepare(
      "SELECT number, ends_at, bytes_so_far FROM kept_answers WHERE number > ?1 ORDER BY number LIMIT 1")
    deleteOldest = try connection.prepare("DELETE FROM kept_answers WHERE number <= ?1")
    bytesSoFar = try connection.int64("SELECT bytes_so_far FROM kept_answers ORDER BY number DESC LIMIT 1") ?? 0
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
    let bytes = Int64(answer.readableBytes) + Self.rowOverheadBytes
    additions += 1
    addedBytes += bytes
    bytesSoFar += bytes
    // What has ended may not have been dropped yet.
    delete.bind(key.name, at: 1)
    try delete.run()
    insert.bind(key.name, at: 1)
    insert.bind(Int64(bitPattern: key.fingerprint), at: 2)
    insert.bind(wall + Int64(options.keptAnswerHours) * 3_600_000, at: 3)
    insert.bind(bytesSoFar, at: 4)
    try insert.run(borrowing: answer, at: 5)
  }

  /// To be called after each group: takes as many steps as keep up with what is kept.
  func afterGroup(wall: Int64) throws(SQLiteError) {
    let bytesForStep = min(Self.stepBytes, options.keptAnswerBytes) / 4
    let due = max(Int64(additions) / (Self.stepRows / 4), addedBytes / max(bytesForStep, 1))
    guard due > 0 else { return }
    additions = 0
    addedBytes = 0
    for _ in 0..<due {
      guard try step(wall: wall) else { return }
    }
  }

  /// Drops some of the oldest, if they have ended or are too much. Returns whether it did; false also if another process
  /// is writing.
  func step(wall: Int64) throws(SQLiteError) -> Bool {
    guard try horizon(wall: wall, rows: 1) != nil, try transaction.begin() else { return false }
    guard let horizon = try horizon(wall: wall, rows: Self.stepRows) else {
      try transaction.undo()
      return false
    }
    deleteOldest.bind(horizon, at: 1)
    try deleteOldest.run()
    try connection.checkRowsChanged()
    try transaction.commit()
    return true
  }

  /// The number up to which all can be dropped, `rows` at most; nil if none can.
  private func horizon(wall: Int64, rows: Int64) throws(SQLiteError) -> Int64? {
    var horizon: Int64?
    var bytesAtFirst: Int64?
    for _ in 0..<rows {
      oldest.bind(horizon ?? 0, at: 1)
      defer { oldest.reset() }
      guard try oldest.step(), oldest.int64(2) - (bytesAtFirst ?? oldest.int64(2)) < Self.stepBytes,
        oldest.int64(1) <= wall || bytesSoFar - oldest.int64(2) >= options.keptAnswerBytes
      else { break }
      horizon = oldest.int64(0)
      bytesAtFirst = bytesAtFirst ?? oldest.int64(2)
    }
    return horizon
  }
}
