import DocketJSON
import DocketStore

/// Point reads of one session, from documents at hand and from snapshots.
///
/// A tick that finds the log as it was when the cache was last brought up to it needs no snapshot for what is at hand.
final class SnapshotReader {
  private let connection: Connection
  private let clock: WallClock
  private let mark: SyncMark
  private let key = KeyBuffer()
  private let begin: Statement
  private let commit: Statement
  /// Finds a row by its path.
  private let select: Statement
  /// The same by its key, if it is of that path.
  private let selectByKey: Statement
  private let cache: DocumentCache
  private let follower: ChangeFollower
  /// Found with the first snapshot: before it the log need not be there.
  private var logHeader: LogHeader.Place?
  /// As it was in the snapshot that the cache was brought up to; nil where a commit came just then.
  private var cachedHeader: LogHeader?
  private var isInSnapshot = false
  /// The newest commit of the writer that may be seen in the snapshot.
  private var snapshotCommit: Int64 = 0
  /// The newest commit of the writer that reads of the tick, or of the last one, may have shown; nil if there were none.
  private(set) var shownCommit: Int64?
  /// Whether the cache holds what was acknowledged before the tick.
  private var isCurrent = false
  /// The time by which documents expire in the tick.
  private var wall: Int64 = 0

  /// - Parameter cache: keeps documents that were read at hand; of this reader alone.
  init(_ connection: Connection, clock: WallClock, mark: SyncMark, cache: DocumentCache) throws(SQLiteError) {
    self.cache = cache
    follower = try ChangeFollower(connection, cache)
    self.connection = connection
    self.clock = clock
    self.mark = mark
    begin = try connection.prepare("BEGIN")
    commit = try connection.prepare("COMMIT")
    let columns = "SELECT key, revision, created_at, updated_at, expires_at, data FROM document_rows"
    let condition = "collection = ?1 AND id = ?2 AND (expires_at IS NULL OR expires_at > ?3)"
    select = try connection.prepare("\(columns) WHERE \(condition)")
    selectByKey = try connection.prepare("\(columns) NOT INDEXED WHERE key = ?4 AND \(condition)")
  }

  var cachedBytes: Int { cache.bytes }

  /// Reads a document, as it was at the first read since `end` or later; never older than an earlier read told.
  func document(at path: DocumentPath) -> Result<Document?, StoreError> {
    do throws(SQLiteError) {
      return try read(path)
    } catch {
      return .failure(failed(error))
    }
  }

  /// The data of a document, as `document(at:)` would tell it; nil says nothing of it. It is valid until the next call.
  ///
  /// Nothing is made of the row but a copy for the cache: for a document that is not at hand this takes half of what
  /// `document(at:)` takes.
  /// - Parameter name: the path as text, collection and id.
  func data(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    do throws(SQLiteError) {
      try makeCurrent()
      if let found = cached(name) { return found.data }
      guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return nil }
      key.load(
        collection: UnsafeRawBufferPointer(rebasing: name[...slash]),
        id: UnsafeRawBufferPointer(rebasing: name[(slash + 1)...]))
      guard let row = try findRow(), (try? JSONScanner.validate(row.data)) != nil else { return nil }
      cache.hold(row.fields, name: key.path, data: row.data)
      return row.data
    } catch {
      _ = failed(error)
      return nil
    }
  }

  /// The newest change. What is read behind this call in the tick is as it left it.
  func newestRevision() -> Result<Revision, StoreError> {
    do throws(SQLiteError) {
      try makeCurrent()
      if !isInSnapshot { try takeSnapshot() }
      return .success(Revision(follower.sequence))
    } catch {
      return .failure(failed(error))
    }
  }

  func beginTick() {
    shownCommit = nil
  }

  /// Ends the tick: gives back the snapshot.
  func end() {
    isCurrent = false
    guard isInSnapshot else { return }
    isInSnapshot = false
    select.reset()
    selectByKey.reset()
    // A transaction that only reads has nothing to lose when its end fails; SQLite may have rolled it back already.
    try? commit.run()
  }

  private func failed(_ error: SQLiteError) -> StoreError {
    // Whatever went wrong may have ended the transaction, so the next read begins a new one.
    end()
    return StoreError(reading: error)
  }

  private func read(_ path: DocumentPath) throws(SQLiteError) -> Result<Document?, StoreError> {
    try makeCurrent()
    key.load(path)
    if let found = cached(key.path) { return .success(Document(path, found)) }
    guard let row = try findRow() else { return .success(nil) }
    let fields = row.fields
    let document = Document.read(
      path, revision: fields.revision, created: fields.created, updated: fields.updated, expires: fields.expires,
      data: row.data)
    if case .success = document { cache.hold(fields, name: key.path, data: row.data) }
    return document.map { $0 }
  }

  /// Finds the row of the document that `key` holds. Its data is SQLite's memory, valid until the next call or `end`.
  private func findRow() throws(SQLiteError) -> (fields: CachedDocument.Fields, data: UnsafeRawBufferPointer)? {
    if !isInSnapshot { try takeSnapshot() }
    if let rowKey = cache.rowKey(key.path) {
      selectByKey.reset()
      selectByKey.bind(rowKey, at: 4)
      if let row = try step(selectByKey) { return row }
    }
    select.reset()
    return try step(select)
  }

  private func step(
    _ statement: Statement
  ) throws(SQLiteError) -> (fields: CachedDocument.Fields, data: UnsafeRawBufferPointer)? {
    statement.bind(borrowing: key.collection, at: 1)
    statement.bind(borrowing: key.id, at: 2)
    statement.bind(wall, at: 3)
    guard try statement.step() else {
      statement.reset()
      return nil
    }
    let fields = CachedDocument.Fields(
      key: statement.int64(0), revision: statement.int64(1), created: statement.int64(2), updated: statement.int64(3),
      expires: statement.optionalInt64(4))
    return (fields, statement.bytes(5))
  }

  private func cached(_ name: UnsafeRawBufferPointer) -> CachedDocument? {
    guard let found = cache.document(name) else { return nil }
    if let expires = found.fields.expires, expires <= wall { return nil }
    return found
  }

  /// Sees to it, once in each tick, that the cache holds nothing that a commit before the tick has changed.
  private func makeCurrent() throws(SQLiteError) {
    guard !isCurrent else { return }
    wall = clock.milliseconds()
    if let cachedHeader, logHeader?.read() == cachedHeader {
      isCurrent = true
      shownCommit = snapshotCommit
    } else {
      try takeSnapshot()
    }
  }

  private func takeSnapshot() throws(SQLiteError) {
    let header = logHeader?.read()
    try begin.run()
    isInSnapshot = true
    // The transaction begins with the first read in it.
    try follower.follow()
    if logHeader == nil { logHeader = LogHeader.Place(connection) }
    snapshotCommit = mark.visible
    shownCommit = snapshotCommit
    // If the header is the same before and behind it, it is that of the snapshot.
    cachedHeader = header == logHeader?.read() ? header : nil
    isCurrent = true
  }
}
