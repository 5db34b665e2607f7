import CSQLite
import NIOCore

/// Plain updates that wait to be written together, each a row of history and the document's own: most writes of most
/// groups are such.
///
/// SQLite runs a statement with 32 rows for a good half of the instructions of 32 statements; and it numbers a row by itself
/// (the next one) for 1,000 instructions less than one whose number is bound (callgrind).
final class PendingUpdates {
  private struct Row {
    let key: Int64
    let before: CachedDocument.Fields
    /// Where its collection ends in the texts; then come the id, the document as it was, and the document.
    let start: Int
    let collectionEnd: Int
    let idEnd: Int
    let beforeEnd: Int
    let end: Int
  }

  private struct Batch {
    let rows: Int
    let insertChanges: Statement
    let updateDocuments: Statement
  }

  private let connection: Connection
  /// Those of more rows come first.
  private let batches: [Batch]
  private var rows: [Row] = []
  private var texts: [UInt8] = []
  /// The sequence of the last row; each row's is one more than that of the row before it.
  private var sequence: Int64 = 0
  private var at: Int64 = 0

  private static let rowsTogether = 32
  /// Larger documents are not worth being copied to here.
  static let documentBytes = 8 << 10

  init(_ connection: Connection) throws(SQLiteError) {
    self.connection = connection
    var batches: [Batch] = []
    for rows in [Self.rowsTogether, 8, 1] {
      batches.append(
        Batch(
          rows: rows, insertChanges: try connection.prepare(Self.insertChanges(rows: rows)),
          updateDocuments: try connection.prepare(Self.updateDocuments(rows: rows))))
    }
    self.batches = batches
  }

  /// `?1` is the time, then each row has six parameters.
  private static func insertChanges(rows: Int) -> String {
    let values = (0..<rows).map { row in
      let first = 2 + 6 * row
      return "(?\(first), ?\(first + 1), ?\(first + 2), 'updated', ?1, ?\(first + 3), ?\(first + 4), ?\(first + 5))"
    }
    return """
      INSERT INTO changes(previous, collection, id, kind, at, before, before_created_at, before_updated_at)
      VALUES \(values.joined(separator: ", "))
      """
  }

  /// An UPDATE has one row only; an INSERT has many, and each meets the row that it is to update.
  ///
  /// `?1` is the time, then each row has six parameters.
  private static func updateDocuments(rows: Int) -> String {
    let values = (0..<rows).map { row in
      let first = 2 + 6 * row
      return "(?\(first), ?\(first + 1), ?\(first + 2), ?\(first + 3), ?\(first + 4), ?1, ?\(first + 5))"
    }
    return """
      INSERT INTO document_rows(key, collection, id, revision, created_at, updated_at, data)
      VALUES \(values.joined(separator: ", "))
      ON CONFLICT (key) DO UPDATE SET
        revision = excluded.revision, updated_at = excluded.updated_at, data = excluded.data
      """
  }

  var isEmpty: Bool { rows.isEmpty }

  /// Whether a document's row waits to be written. Takes time by the number of rows that wait, which is small.
  func contains(key: Int64) -> Bool { rows.contains { $0.key == key } }

  /// Takes an update, whose texts are copied.
  /// - Parameter sequence: follows that of the update before it, if one waits.
  func append(
    _ path: KeyBuffer, before row: DocumentTables.Row, sequence: Int64, at: Int64, data: ByteBuffer
  ) throws(SQLiteError) {
    self.sequence = sequence
    self.at = at
    let start = texts.count
    texts.append(contentsOf: path.path)
    texts.append(contentsOf: row.data)
    let beforeEnd = texts.count
    data.withUnsafeReadableBytes { texts.append(contentsOf: $0) }
    rows.append(
      Row(
        key: row.key,
        before: CachedDocument.Fields(
          key: row.key, revision: row.revision, created: row.created, updated: row.updated, expires: nil),
        start: start, collectionEnd: start + path.collection.count, idEnd: start + path.path.count,
        beforeEnd: beforeEnd, end: texts.count))
    if rows.count == Self.rowsTogether { try write() }
  }

  /// Writes the rows that wait.
  func write() throws(SQLiteError) {
    guard !rows.isEmpty else { return }
    defer { clear() }
    let result = texts.withUnsafeBytes { texts in
      Result { () throws(SQLiteError) in try write(texts) }
    }
    try result.get()
  }

  /// Forgets the rows that wait: their transaction is undone.
  func clear() {
    rows.removeAll(keepingCapacity: true)
    texts.removeAll(keepingCapacity: true)
  }

  private func write(_ texts: UnsafeRawBufferPointer) throws(SQLiteError) {
    var first = 0
    for batch in batches {
      while rows.count - first >= batch.rows {
        try write(rows[first..<first + batch.rows], texts, with: batch)
        first += batch.rows
      }
    }
    guard connection.lastInsertedKey == sequence else {
      // As if a constraint had said so: the group is undone, and done again write by write.
      throw SQLiteError(
        extendedCode: SQLITE_CONSTRAINT, message: "the history's rows are not numbered as they should be")
    }
  }

  private func write(
    _ some: ArraySlice<Row>, _ texts: UnsafeRawBufferPointer, with batch: Batch
  ) throws(SQLiteError) {
    func text(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: texts[start..<end])
    }
    var parameter: Int32 = 2
    let changes = batch.insertChanges
    let documents = batch.updateDocuments
    changes.bind(at, at: 1)
    documents.bind(at, at: 1)
    var revision = sequence - Int64(rows.endIndex - some.startIndex)
    for row in some {
      revision += 1
      let collection = text(row.start, row.collectionEnd)
      let id = text(row.collectionEnd, row.idEnd)
      changes.bind(row.before.revision, at: parameter)
      changes.bind(borrowing: collection, at: parameter + 1)
      changes.bind(borrowing: id, at: parameter + 2)
      changes.bind(borrowing: text(row.idEnd, row.beforeEnd), at: parameter + 3)
      changes.bind(row.before.created, at: parameter + 4)
      changes.bind(row.before.updated, at: parameter + 5)
      documents.bind(row.key, at: parameter)
      documents.bind(borrowing: collection, at: parameter + 1)
      documents.bind(borrowing: id, at: parameter + 2)
      documents.bind(revision, at: parameter + 3)
      documents.bind(row.before.created, at: parameter + 4)
      documents.bind(borrowing: text(row.beforeEnd, row.end), at: parameter + 5)
      parameter += 6
    }
    try changes.run()
    try documents.run()
  }
}
