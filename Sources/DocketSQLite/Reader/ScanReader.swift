import CSQLite
import DocketStore
import Glibc
import Synchronization

/// Reads that take long, each in a snapshot of its own and with a deadline.
///
/// `@unchecked Sendable`: it belongs to the one thread of a `ScanPool` that it was made for.
final class ScanReader: @unchecked Sendable {
  /// Tells running scans to end.
  final class Stop: Sendable {
    let isSet = Atomic(false)
  }

  /// What SQLite asks during a statement whether to go on.
  private struct Limit {
    let stop: Stop
    var deadlineMilliseconds = Int64.max

    var isReached: Bool {
      WallClock.uptimeMilliseconds() > deadlineMilliseconds || stop.isSet.load(ordering: .relaxed)
    }
  }

  private let connection: Connection
  private let path: String
  private let clock: WallClock
  private let limit: UnsafeMutablePointer<Limit>
  private let documents: CollectionWalk
  private let revisions: Statement
  private let historyID: Statement

  /// So many of SQLite's steps pass between two looks at the limit; a row takes about twenty.
  private static let stepsBetweenLooks: Int32 = 1_000

  init(_ connection: Connection, path: String, clock: WallClock, stop: Stop) throws(SQLiteError) {
    self.connection = connection
    self.path = path
    self.clock = clock
    documents = try CollectionWalk(connection)
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
    limit.pointee.deadlineMilliseconds = deadlineMilliseconds
    var state = state
    do throws(SQLiteError) {
      let refusal = try documents.visit(collection, after: after, wall: clock.milliseconds()) { document in
        guard !limit.pointee.isReached else { return .failure(reasonOfLimit) }
        return .success(visit(&state, document))
      }
      if let refusal { return .failure(refusal) }
      return .success(state)
    } catch {
      return .failure(error.code == SQLITE_INTERRUPT ? reasonOfLimit : StoreError(reading: error))
    }
  }

  func status() -> Result<StoreStatus, StoreError> {
    limit.pointee.deadlineMilliseconds = .max
    do throws(SQLiteError) {
      defer {
        revisions.reset()
        historyID.reset()
      }
      _ = try revisions.step()
      let oldest = revisions.optionalInt64(0).map { $0 - 1 } ?? 0
      let newest = revisions.int64(1)
      let history = try historyID.step() ? historyID.string(0) : ""
      return .success(
        StoreStatus(
          historyID: history, revision: Revision(newest), oldestRevision: Revision(oldest),
          fileBytes: Self.size(of: path) + Self.size(of: path + "-wal"), engine: "SQLite \(SQLiteVersion.current)"))
    } catch {
      return .failure(error.code == SQLITE_INTERRUPT ? reasonOfLimit : StoreError(reading: error))
    }
  }

  private var reasonOfLimit: StoreError {
    limit.pointee.stop.isSet.load(ordering: .relaxed) ? .closed : .deadlineExceeded
  }

  /// `stat` asks by name and opens nothing: closing a database file outside SQLite would drop SQLite's locks on it.
  private static func size(of path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }
}
