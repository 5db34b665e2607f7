import CSQLite

/// What the writer's connection has committed to the log, and whether others have committed between.
final class CommitLog {
  private struct Counts {
    /// How many commits of this connection there were.
    var commits: UInt32 = 0
    /// How many pages the log holds, as SQLite counts after each of them.
    var pages: Int64 = 0
  }

  private let connection: Connection
  private let counts: UnsafeMutablePointer<Counts>
  /// Found with the first transaction: before it the log need not be there.
  private var header: LogHeader.Place?
  /// The number of commits that the log's header is to show if nobody else commits, less those of this connection.
  private var base: UInt32?

  init(_ connection: Connection) {
    self.connection = connection
    counts = .allocate(capacity: 1)
    counts.initialize(to: Counts())
    // It is called behind each commit that wrote something (https://sqlite.org/c3ref/wal_hook.html).
    sqlite3_wal_hook(
      connection.handle,
      { counts, _, _, pages in
        guard let counts = counts?.assumingMemoryBound(to: Counts.self) else { return SQLITE_OK }
        counts.pointee.commits &+= 1
        counts.pointee.pages = Int64(pages)
        return SQLITE_OK
      }, counts)
  }

  deinit {
    if !connection.isClosed { sqlite3_wal_hook(connection.handle, nil, nil) }
    counts.deallocate()
  }

  /// How many commits wrote something to the log.
  var commits: UInt32 { counts.pointee.commits }

  var pages: Int64 { counts.pointee.pages }

  func noteEmptied() { counts.pointee.pages = 0 }

  /// Whether everything that was committed since the last call was committed by this connection. To be called in a
  /// transaction that keeps others from committing (BEGIN IMMEDIATE).
  func othersWereQuiet() -> Bool {
    if header == nil { header = LogHeader.Place(connection) }
    guard let commits = header?.read()?.commits else {
      base = nil
      return false
    }
    let expected = base
    base = commits &- counts.pointee.commits
    return base == expected
  }
}
