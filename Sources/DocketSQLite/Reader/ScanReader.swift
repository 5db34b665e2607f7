import CSQLite
import DocketStore
import Glibc
import Synchronization

/// Reads that take long, each in a snapshot of its own and with a deadline.
///
/// `@unchecked Sendable`: it belongs to the one thread, of a `ScanPool` or of `FeedThreads`, that it was made for.
final class ScanReader: @unchecked Sendable {
  /// Tells running scans to end.
  final class Stop: Sendable {
    let isSet = Atomic(false)
  }

  /// What SQLite asks during a statement whether to go on.
  private struct Limit {
    let stop: Stop
    var deadlineMilliseconds = Int64.max
    var cancellation: QueryCancellation?

    var isReached: Bool {
      WallClock.uptimeMilliseconds() > deadlineMilliseconds || stop.isSet.load(ordering: .relaxed)
        || cancellation?.isCancelled == true
    }
  }

  private let connection: Connection
  private let path: String
  private let clock: WallClock
  private let limit: UnsafeMutablePointer<Limit>
  private let documents: CollectionWalk
  private let collectionCount: CollectionCount
  let past: PastReader
  let queries: QueryReader
  let changeLog: ChangeLogReader
  let tokens: TokenTable
  private let rollback: Statement
  private let revisions: Statement
  private let historyID: Statement

  /// So many of SQLite's steps pass between two looks at the limit; a row takes about twenty.
  private static let stepsBetweenLooks: Int32 = 1_000

  init(
    _ connection: Connection, path: String, clock: WallClock, stop: Stop, changeLimits: ChangeLogReader.Limits
  ) throws(SQLiteError) {
    self.connection = connection
    self.path = path
    self.clock = clock
    documents = try CollectionWalk(connection)
    collectionCount = try CollectionCount(connection)
    past = try PastReader(connection, clock: clock)
    queries = try QueryReader(connection, past: past, clock: clock)
    changeLog = try ChangeLogReader(connection, past: past, limits: changeLimits)
    tokens = try TokenTable(connection)
    rollback = try connection.prepare("ROLLBACK")
    revisions = try connection.prepare(
      // SQLite finds one end of a key by a look at it, but both at once by a scan (https://sqlite.org/optoverview.html#minmax).
      "SELECT (SELECT min(sequence) FROM changes), (SELECT max(sequence) FROM changes)")
    historyID = try connection.prepare("SELECT value FROM properties WHERE name = 'history_id'")
    limit = .allocate(capacity: 1)
    limit.initialize(to: Limit(stop: stop))
    // https://sqlite.org/c3ref/progress_handler.html
    sqlite3_progress_handler(
      connection.handle, Self.stepsBetweenLooks,
      { limit in limit?.assumingMemoryBound(to: Limit.self).pointee.isReached == true ? 1 : 0 }, limit)
  }

  deinit {
    if !connection.isClosed { sqlite3_progress_handler(connection.handle, 0, nil, nil) }
    limit.deinitialize(count: 1)
    limit.deallocate()
  }

  func close() {
    connection.close()
  }

  /// Visits the live documents of a collection behind `after`, in byte order of their ids.
  /// - Parameter deadlineMilliseconds: by the uptime clock.
  func scan<State>(
    _ collection: CollectionPath, after: String?, into state: State, deadlineMilliseconds: Int64,
    visit: (inout State, Document) -> ScanStep
  ) -> Result<State, StoreError> {
    var state = state
    return limited(deadlineMilliseconds) { () throws(SQLiteError) in
      let refusal = try documents.visit(collection, after: after, wall: clock.milliseconds()) { document in
        isLimitReached ? .failure(.deadlineExceeded) : .success(visit(&state, document))
      }
      return refusal.map { .failure($0) } ?? .success(())
    }.map { state }
  }

  /// What collections hold, those behind `after`.
  /// - Parameter deadlineMilliseconds: by the uptime clock.
  func collections(
    readable: PathPrefixes, after: CollectionPath?, limit: Int, deadlineMilliseconds: Int64
  ) -> Result<[CollectionContents], StoreError> {
    limited(deadlineMilliseconds) { () throws(SQLiteError) in
      try collectionCount.contents(
        readable: readable, after: after, limit: limit, wall: clock.milliseconds(), isLate: { isLimitReached })
    }
  }

  /// Runs a read that ends when the limit is reached, at the latest.
  func limited<Value>(
    _ deadlineMilliseconds: Int64, cancellation: QueryCancellation? = nil,
    _ read: () throws(SQLiteError) -> Result<Value, StoreError>
  ) -> Result<Value, StoreError> {
    limit.pointee.deadlineMilliseconds = deadlineMilliseconds
    limit.pointee.cancellation = cancellation
    defer { giveBackSnapshot() }
    let isStopped = { [limit] in limit.pointee.stop.isSet.load(ordering: .relaxed) }
    do throws(SQLiteError) {
      let result = try read()
      if case .failure(.deadlineExceeded) = result, isStopped() { return .failure(.closed) }
      return result
    } catch {
      return .failure(error.code == SQLITE_INTERRUPT && isStopped() ? .closed : StoreError(reading: error))
    }
  }

  /// Ends the transaction in which a read may have been. The deadline has nothing to say in this: it would interrupt the
  /// end as well, and the snapshot would stay.
  private func giveBackSnapshot() {
    limit.pointee.deadlineMilliseconds = .max
    limit.pointee.cancellation = nil
    // A transaction that only reads has nothing to lose when its end fails, which it does where the store is closing.
    if connection.isInTransaction { try? rollback.run() }
  }

  /// Whether a read that is under way must end.
  var isLimitReached: Bool { limit.pointee.isReached }

  func status() -> Result<StoreStatus, StoreError> {
    limited(.max) { () throws(SQLiteError) in
      defer { revisions.reset() }
      _ = try revisions.step()
      let oldest = revisions.optionalInt64(0).map { $0 - 1 } ?? 0
      let newest = revisions.int64(1)
      let history = try historyName()
      return .success(
        StoreStatus(
          historyID: history, revision: Revision(newest), oldestRevision: Revision(oldest),
          databaseBytes: Self.size(of: path), logBytes: Self.size(of: path + "-wal"),
          freeBytes: Self.freeBytes(beside: path), engine: "SQLite \(SQLiteVersion.current)"))
    }
  }

  /// The name of the history, in a read that is under way.
  func historyName() throws(SQLiteError) -> String {
    defer { historyID.reset() }
    return try historyID.step() ? historyID.string(0) : ""
  }

  /// `stat` asks by name and opens nothing: closing a database file outside SQLite would drop SQLite's locks on it.
  private static func size(of path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }

  /// What the server's user may still take of the file system (statvfs(3)); as much as can be where it does not tell.
  private static func freeBytes(beside path: String) -> Int64 {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return .max }
    let (bytes, isTooMuch) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return isTooMuch ? .max : Int64(clamping: bytes)
  }
}
