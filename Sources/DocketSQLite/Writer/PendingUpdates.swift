import CSQLite

/// History rows of plain updates that wait to be written together: most rows of most groups are such.
///
/// SQLite runs a statement with 32 rows for a good half of the instructions of 32 statements, and a row whose number it
/// gives itself (the next one) for 1,000 instructions less than one whose number is bound (callgrind).
final class PendingUpdates {
  private struct Row {
    let previous: Int64
    let createdBefore: Int64
    let updatedBefore: Int64
    /// Where its collection ends in the texts; then come the id and the document as it was.
    let start: Int
    let collectionEnd: Int
    let idEnd: Int
    let end: Int
  }

  private struct Batch {
    let rows: Int
    let statement: Statement
  }

  private let connection: Connection
  /// Those of more rows come first.
  private let batches: [Batch]
  private var rows: [Row] = []
  private var texts: [UInt8] = []
  /// The sequence of the last row.
  private var sequence: Int64 = 0
  private var at: Int64 = 0

  private static let rowsTogether = 32
  /// Rows are written before they hold more than this in memory, and a document.
  private static let limitBytes = 256 << 10

  init(_ connection: Connection) throws(SQLiteError) {
    self.connection = connection
    var batches: [Batch] = []
    for rows in [Self.rowsTogether, 8, 1] {
      batches.append(Batch(rows: rows, statement: try connection.prepare(Self.sql(rows: rows))))
    }
    self.batches = batches
  }

  /// `?1` is the time, then each row has six parameters.
  private static func sql(rows: Int) -> String {
    let values = (0..<rows).map { row in
      let first = 2 + 6 * row
      return "(?\(first), ?\(first + 1), ?\(first + 2), 'updated', ?1, ?\(first + 3), ?\(first + 4), ?\(first + 5))"
    }
    return """
      INSERT INTO changes(previous, collection, id, kind, at, before, before_created_at, before_updated_at)
      VALUES \(values.joined(separator: ", "))
      """
  }

  /// Takes a row, whose texts are copied; its sequence follows that of the row before it.
  func append(
    sequence: Int64, at: Int64, path: KeyBuffer, before row: DocumentTables.Row
  ) throws(SQLiteError) {
    self.sequence = sequence
    self.at = at
    let start = texts.count
    texts.append(contentsOf: path.path)
    texts.append(contentsOf: row.data)
    rows.append(
      Row(
        previous: row.revision, createdBefore: row.created, updatedBefore: row.updated, start: start,
        collectionEnd: start + path.collection.count, idEnd: start + path.path.count, end: texts.count))
    if rows.count == Self.rowsTogether || texts.count >= Self.limitBytes { try write() }
  }

  /// Writes the rows that wait.
  func write() throws(SQLiteError) {
    guard !rows.isEmpty else { return }
    defer { clear() }
    let result = texts.withUnsafeBytes { texts in
      Result { () throws(SQLiteError) in try write(texts) }
    }
    try result.get()
    guard connection.lastInsertedKey == sequence else {
      // As if a constraint had said so: the group is undone, and done again write by write.
      throw SQLiteError(
        extendedCode: SQLITE_CONSTRAINT, message: "the history's rows are not numbered as they should be")
    }
  }

  /// Forgets the rows that wait: their transaction is undone.
  func clear() {
    rows.removeAll(keepingCapacity: true)
    texts.removeAll(keepingCapacity: texts.capacity <= 2 * Self.limitBytes)
  }

  private func write(_ texts: UnsafeRawBufferPointer) throws(SQLiteError) {
    var first = 0
    for batch in batches {
      while rows.count - first >= batch.rows {
        batch.statement.bind(at, at: 1)
        for index in 0..<batch.rows { bind(rows[first + index], texts, to: batch.statement, at: Int32(2 + 6 * index)) }
        try batch.statement.run()
        first += batch.rows
      }
    }
  }

  private func bind(_ row: Row, _ texts: UnsafeRawBufferPointer, to statement: Statement, at parameter: Int32) {
    func text(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: texts[range]) }
    statement.bind(row.previous, at: parameter)
    statement.bind(borrowing: text(row.start..<row.collectionEnd), at: parameter + 1)
    statement.bind(borrowing: text(row.collectionEnd..<row.idEnd), at: parameter + 2)
    statement.bind(borrowing: text(row.idEnd..<row.end), at: parameter + 3)
    statement.bind(row.createdBefore, at: parameter + 4)
    statement.bind(row.updatedBefore, at: parameter + 5)
  }
}
