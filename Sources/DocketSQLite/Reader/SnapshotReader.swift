import DocketStore
import NIOCore

/// Point reads of one session: all reads of a tick come from one snapshot.
final class SnapshotReader {
  private let connection: Connection
  private let clock: WallClock
  private let key = KeyBuffer()
  private let begin: Statement
  private let commit: Statement
  private let select: Statement
  private var cache: DocumentCache
  private var isInSnapshot = false
  /// The time by which documents expire in the snapshot.
  private var wall: Int64 = 0

  /// - Parameter cacheBytes: how much of documents that were read is kept at hand.
  init(_ connection: Connection, clock: WallClock, cacheBytes: Int) throws(SQLiteError) {
    cache = try DocumentCache(connection, limitBytes: cacheBytes)
    self.connection = connection
    self.clock = clock
    begin = try connection.prepare("BEGIN")
    commit = try connection.prepare("COMMIT")
    select = try connection.prepare(
      """
      SELECT revision, created_at, updated_at, expires_at, data FROM document_rows
      WHERE collection = ?1 AND id = ?2 AND (expires_at IS NULL OR expires_at > ?3)
      """)
  }

  /// Reads a document. The first read since `end` takes a new snapshot.
  func document(at path: DocumentPath) -> Result<Document?, StoreError> {
    do throws(SQLiteError) {
      return try read(path)
    } catch {
      // Whatever went wrong may have ended the transaction, so the next read begins a new one.
      end()
      return .failure(StoreError(reading: error))
    }
  }

  /// Gives back the snapshot.
  func end() {
    guard isInSnapshot else { return }
    isInSnapshot = false
    // A transaction that only reads has nothing to lose when its end fails; SQLite may have rolled it back already.
    try? commit.run()
  }

  private func read(_ path: DocumentPath) throws(SQLiteError) -> Result<Document?, StoreError> {
    if !isInSnapshot {
      try begin.run()
      isInSnapshot = true
      wall = clock.milliseconds()
      try cache.follow()
    }
    if let document = cache.document(at: path, wall: wall) { return .success(document) }
    key.load(path)
    select.bind(borrowing: key.collection, at: 1)
    select.bind(borrowing: key.id, at: 2)
    select.bind(wall, at: 3)
    defer { select.reset() }
    guard try select.step() else { return .success(nil) }
    let document = Document.read(
      path, revision: select.int64(0), created: select.int64(1), updated: select.int64(2),
      expires: select.optionalInt64(3), data: select.bytes(4)
    )
    if case .success(let document) = document { cache.insert(document) }
    return document.map { $0 }
  }
}
