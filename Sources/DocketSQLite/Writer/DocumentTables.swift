import DocketStore
import NIOCore

/// The tables behind the view `documents`, as the writer changes them: ready statements, no triggers.
///
/// It holds one current path at a time: `find` loads it, and the calls that follow are about it.
///
/// What it has written or found lately it knows by heart, as long as nobody else writes: to find a row took a quarter of
/// the instructions of a write.
final class DocumentTables {
  /// What a change did, as `changes.kind` has it.
  enum Kind {
    case created, updated, deleted, expired

    var name: UnsafeRawBufferPointer {
      switch self {
      case .created: Self.createdName
      case .updated: Self.updatedName
      case .deleted: Self.deletedName
      case .expired: Self.expiredName
      }
    }

    private static func bytes(of text: StaticString) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
    private static var createdName: UnsafeRawBufferPointer { bytes(of: "created") }
    private static var updatedName: UnsafeRawBufferPointer { bytes(of: "updated") }
    private static var deletedName: UnsafeRawBufferPointer { bytes(of: "deleted") }
    private static var expiredName: UnsafeRawBufferPointer { bytes(of: "expired") }
  }

  /// The current path's row. The bytes are SQLite's or the cache's: valid until the row is changed or `release`.
  struct Row {
    let key: Int64
    let revision: Int64
    let created: Int64
    let updated: Int64
    let expires: Int64?
    let data: UnsafeRawBufferPointer

    fileprivate init(_ known: CachedDocument) {
      let fields = known.fields
      self.init(
        key: fields.key, revision: fields.revision, created: fields.created, updated: fields.updated,
        expires: fields.expires, data: known.data)
    }

    fileprivate init(
      key: Int64, revision: Int64, created: Int64, updated: Int64, expires: Int64?, data: UnsafeRawBufferPointer
    ) {
      self.key = key
      self.revision = revision
      self.created = created
      self.updated = updated
      self.expires = expires
      self.data = data
    }

    func isExpired(wall: Int64) -> Bool {
      if let expires { expires <= wall } else { false }
    }
  }

  /// What is set for collections.
  let rules: CollectionRules
  private let path = KeyBuffer()
  private let connection: Connection
  private let log: CommitLog
  /// Rows as they are after the change `knownSequence`.
  private let cache: DocumentCache
  private var knownSequence: Int64 = 0
  /// How many bytes of texts have gone into the history since `takeHistoryBytes`. What was undone counts as well.
  private(set) var historyBytes = 0
  private var tally = HistoryTally()
  /// The newest change when the transaction began.
  private(set) var committedSequence: Int64 = 0
  private let pageBytes: Int64
  /// How many bytes of documents that have an end were written since `takeMortalBytes`. What was undone counts as well.
  private var mortalBytes = 0
  /// Whether what is written stays as it is written: nobody has put triggers on the tables that change it.
  private(set) var isSimple = false
  /// Whether something was undone, perhaps what was mended in the schema.
  private var wasUndone = false
  private let newest: Statement
  private let select: Statement
  private var isSelecting = false
  private let insertChange: Statement
  private let markBatch: Statement
  private let insertRow: Statement
  private let updateRow: Statement
  /// Of a document that has no end before and after, and goes on: what does not change costs nothing.
  private let updateData: Statement
  private let pendingUpdates: PendingUpdates
  private let deleteRow: Statement
  private let selectTombstone: Statement
  private let insertTombstone: Statement
  private let deleteTombstone: Statement

  /// - Parameters:
  ///   - log: what the connection commits.
  ///   - cache: keeps documents at hand; of these tables alone.
  init(_ connection: Connection, log: CommitLog, cache: DocumentCache) throws(SQLiteError) {
    self.connection = connection
    self.log = log
    rules = try CollectionRules(connection)
    self.cache = cache
    pageBytes = try connection.int64("PRAGMA page_size") ?? 4_096
    newest = try connection.prepare("SELECT sequence, at FROM changes ORDER BY sequence DESC LIMIT 1")
    select = try connection.prepare(
      """
      SELECT key, revision, created_at, updated_at, expires_at, data FROM document_rows
      WHERE collection = ?1 AND id = ?2
      """)
    insertChange = try connection.prepare(
      """
      INSERT INTO changes(sequence, previous, collection, id, kind, at,
        before, before_created_at, before_updated_at, before_expires_at, batch)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
      """)
    markBatch = try connection.prepare("UPDATE changes SET batch = ?1 WHERE sequence > ?2")
    insertRow = try connection.prepare(
      """
      INSERT INTO document_rows(collection, id, revision, created_at, updated_at, expires_at, data)
      VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
      """)
    updateRow = try connection.prepare(
      """
      UPDATE document_rows SET revision = ?2, created_at = ?3, updated_at = ?4, expires_at = ?5, data = ?6
      WHERE key = ?1
      """)
    updateData = try connection.prepare(
      "UPDATE document_rows SET revision = ?2, updated_at = ?3, data = ?4 WHERE key = ?1")
    pendingUpdates = try PendingUpdates(connection)
    deleteRow = try connection.prepare("DELETE FROM document_rows WHERE key = ?1")
    selectTombstone = try connection.prepare("SELECT sequence FROM tombstones WHERE collection = ?1 AND id = ?2")
    insertTombstone = try connection.prepare("INSERT INTO tombstones(collection, id, sequence) VALUES (?1, ?2, ?3)")
    deleteTombstone = try connection.prepare("DELETE FROM tombstones WHERE collection = ?1 AND id = ?2")
  }

  /// To be called first in each transaction: if others have written since the one before, what was known is forgotten.
  /// - Returns: the newest change, or zeros where there is none.
  func beginTransaction() throws(SQLiteError) -> (sequence: Int64, at: Int64) {
    let change = try newestChange()
    committedSequence = change.sequence
    let mustLook = !log.othersWereQuiet() || wasUndone
    if mustLook {
      cache.removeAll()
      rules.forget()
    } else if change.0 != knownSequence {
      cache.removeAll()
    }
    knownSequence = change.0
    if rules.isStale { try rules.read() }
    if mustLook {
      try rules.mendTexts()
      // An operator's triggers may change rows and the history behind the statements made here.
      isSimple = try rules.areTablesSimple()
      wasUndone = false
    }
    return change
  }

  private func newestChange() throws(SQLiteError) -> (sequence: Int64, at: Int64) {
    defer { newest.reset() }
    return try newest.step() ? (newest.int64(0), newest.int64(1)) : (0, 0)
  }

  /// The newest change, where a trigger of an operator's may have made it; nil where there is none.
  func newestOfTriggers() throws(SQLiteError) -> (sequence: Int64, at: Int64)? {
    isSimple ? nil : try newestChange()
  }

  /// Puts changes that a trigger has made under the mark of a batch.
  func mark(changesBehind sequence: Int64, as batch: Int64) throws(SQLiteError) {
    markBatch.bind(batch, at: 1)
    markBatch.bind(sequence, at: 2)
    try markBatch.run()
  }

  /// Writes what waits to be written together. To be called before a savepoint, before the commit, and before documents are
  /// read other than by `find`.
  func writePending() throws(SQLiteError) {
    try pendingUpdates.write()
  }

  /// Forgets what is known and what waits: to be called where a transaction, or a part of it, is undone.
  /// - Parameter sequence: the newest change that stays; nil: the one with which the transaction began.
  func forget(behind sequence: Int64? = nil) {
    tally.undo(behind: sequence ?? committedSequence)
    release()
    pendingUpdates.clear()
    cache.removeAll()
    knownSequence = -1
    wasUndone = true
  }

  /// The same where only a write of the current path is undone.
  /// - Parameter sequence: the newest change that stays.
  func forgetCurrent(sequence: Int64) {
    tally.undo(behind: sequence)
    release()
    pendingUpdates.clear()
    cache.remove(path.path)
    knownSequence = sequence
  }

  /// Makes a path the current one and finds its row, expired or not. `release` must follow.
  func find(_ collection: CollectionPath, _ id: String) throws(SQLiteError) -> Row? {
    path.load(collection: collection, id: id)
    if isSimple, let known = cache.document(path.path) { return Row(known) }
    guard let row = try selectRow() else { return nil }
    // What waits is known by heart, unless there was no room for it.
    guard !pendingUpdates.isEmpty, pendingUpdates.contains(key: row.key) else { return row }
    release()
    try pendingUpdates.write()
    return try selectRow()
  }

  private func selectRow() throws(SQLiteError) -> Row? {
    select.bind(borrowing: path.collection, at: 1)
    select.bind(borrowing: path.id, at: 2)
    isSelecting = true
    guard try select.step() else { return nil }
    return Row(
      key: select.int64(0), revision: select.int64(1), created: select.int64(2), updated: select.int64(3),
      expires: select.optionalInt64(4), data: select.bytes(5))
  }

  /// Lets go of the row that `find` gave.
  func release() {
    guard isSelecting else { return }
    isSelecting = false
    select.reset()
  }

  /// Replaces the current path's document and records that, or has both wait for `writePending` where it is plain: small,
  /// of no batch, and without an end before and after.
  func replace(
    _ row: Row, sequence: Int64, at: Int64, batch: Int64?, expires: Int64?, data: ByteBuffer
  ) throws(SQLiteError) {
    guard
      isSimple, batch == nil, row.expires == nil, expires == nil, row.data.count <= PendingUpdates.documentBytes,
      data.readableBytes <= PendingUpdates.documentBytes
    else {
      try record(.updated, sequence: sequence, previous: row.revision, at: at, batch: batch, before: row)
      return try update(row, revision: sequence, created: row.created, updated: at, expires: expires, data: data)
    }
    didRecord(sequence, before: row)
    try pendingUpdates.append(path, before: row, sequence: sequence, at: at, data: data)
    release()
    hold(
      CachedDocument.Fields(key: row.key, revision: sequence, created: row.created, updated: at, expires: nil), data)
  }

  private func didRecord(_ sequence: Int64, before: Row?) {
    let bytes = (before?.data.count ?? 0) + path.collection.count + path.id.count
    historyBytes += bytes
    tally.add(sequence, bytes: HistorySize.rowBytes(texts: Int64(bytes), pageBytes: pageBytes))
    knownSequence = sequence
  }

  /// Writes a change of the current path into the history.
  /// - Parameters:
  ///   - batch: the mark of the batch that it belongs to, if any.
  ///   - before: the document as it was until now; nil if there was none.
  func record(
    _ kind: Kind, sequence: Int64, previous: Int64?, at: Int64, batch: Int64?, before: Row?
  ) throws(SQLiteError) {
    didRecord(sequence, before: before)
    try pendingUpdates.write()
    insertChange.bind(sequence, at: 1)
    insertChange.bind(previous, at: 2)
    insertChange.bind(borrowing: path.collection, at: 3)
    insertChange.bind(borrowing: path.id, at: 4)
    insertChange.bind(borrowing: kind.name, at: 5)
    insertChange.bind(at, at: 6)
    if let before { insertChange.bind(borrowing: before.data, at: 7) } else { insertChange.bindNull(at: 7) }
    insertChange.bind(before?.created, at: 8)
    insertChange.bind(before?.updated, at: 9)
    insertChange.bind(before?.expires, at: 10)
    insertChange.bind(batch, at: 11)
    try insertChange.run()
    try checkDone()
  }

  /// `historyBytes`, which begins anew.
  func takeHistoryBytes() -> Int {
    defer { historyBytes = 0 }
    return historyBytes
  }

  /// What has gone into the history since this was asked last, up to a change that is committed.
  func takeHistory(through sequence: Int64) -> [HistoryTally.Change] { tally.take(through: sequence) }

  /// How much has gone into the history behind that.
  var uncommittedHistoryBytes: Int64 { tally.bytes }

  /// `mortalBytes`, which begins anew.
  func takeMortalBytes() -> Int {
    defer { mortalBytes = 0 }
    return mortalBytes
  }

  /// Makes a row for the current path, which has none.
  func insert(revision: Int64, at: Int64, expires: Int64?, data: ByteBuffer) throws(SQLiteError) {
    insertRow.bind(borrowing: path.collection, at: 1)
    insertRow.bind(borrowing: path.id, at: 2)
    insertRow.bind(revision, at: 3)
    insertRow.bind(at, at: 4)
    insertRow.bind(expires, at: 5)
    if expires != nil { mortalBytes += data.readableBytes }
    try insertRow.run(borrowing: data, at: 6)
    try checkDone()
    hold(
      CachedDocument.Fields(
        key: connection.lastInsertedKey, revision: revision, created: at, updated: at, expires: expires), data)
  }

  /// Replaces the current path's row.
  func update(
    _ row: Row, revision: Int64, created: Int64, updated: Int64, expires: Int64?, data: ByteBuffer
  ) throws(SQLiteError) {
    // A statement that stands on the row would make SQLite save its place first.
    release()
    let fields = CachedDocument.Fields(
      key: row.key, revision: revision, created: created, updated: updated, expires: expires)
    guard row.expires != nil || expires != nil || created != row.created else {
      updateData.bind(row.key, at: 1)
      updateData.bind(revision, at: 2)
      updateData.bind(updated, at: 3)
      try updateData.run(borrowing: data, at: 4)
      try checkDone()
      return hold(fields, data)
    }
    updateRow.bind(row.key, at: 1)
    updateRow.bind(revision, at: 2)
    updateRow.bind(created, at: 3)
    updateRow.bind(updated, at: 4)
    updateRow.bind(expires, at: 5)
    if expires != nil { mortalBytes += data.readableBytes }
    try updateRow.run(borrowing: data, at: 6)
    try checkDone()
    hold(fields, data)
  }

  /// Half a write is none.
  private func checkDone() throws(SQLiteError) {
    if !isSimple { try connection.checkRowsChanged() }
  }

  private func hold(_ fields: CachedDocument.Fields, _ data: ByteBuffer) {
    guard isSimple else { return }
    data.withUnsafeReadableBytes { cache.hold(fields, name: path.path, data: $0) }
  }

  /// Ends the current path's document: a change, and a tombstone instead of its row.
  func remove(_ row: Row, as kind: Kind, sequence: Int64, at: Int64, batch: Int64?) throws(SQLiteError) {
    try record(kind, sequence: sequence, previous: row.revision, at: at, batch: batch, before: row)
    try addTombstone(sequence: sequence)
    release()
    cache.remove(path.path)
    try delete(key: row.key)
  }

  private func delete(key: Int64) throws(SQLiteError) {
    deleteRow.bind(key, at: 1)
    try deleteRow.run()
    try checkDone()
  }

  /// The change that ended the current path's document, if there was one and history still knows.
  func tombstone() throws(SQLiteError) -> Int64? {
    selectTombstone.bind(borrowing: path.collection, at: 1)
    selectTombstone.bind(borrowing: path.id, at: 2)
    defer { selectTombstone.reset() }
    return try selectTombstone.step() ? selectTombstone.int64(0) : nil
  }

  private func addTombstone(sequence: Int64) throws(SQLiteError) {
    insertTombstone.bind(borrowing: path.collection, at: 1)
    insertTombstone.bind(borrowing: path.id, at: 2)
    insertTombstone.bind(sequence, at: 3)
    try insertTombstone.run()
    try checkDone()
  }

  func removeTombstone() throws(SQLiteError) {
    deleteTombstone.bind(borrowing: path.collection, at: 1)
    deleteTombstone.bind(borrowing: path.id, at: 2)
    try deleteTombstone.run()
  }
}
