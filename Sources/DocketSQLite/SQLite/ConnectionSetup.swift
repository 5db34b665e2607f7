/// How the store's connections are set up (https://sqlite.org/pragma.html).
enum ConnectionSetup {
  /// A reader meets a lock only while another process recovers the log.
  static let readBusyTimeoutMilliseconds: Int32 = 100

  /// The writer, on a file in WAL mode: it alone checkpoints, and it waits for locks in its own way, so that no write
  /// waits too long.
  static func writer(path: String, options: SQLiteStoreOptions) throws(SQLiteError) -> Connection {
    let connection = try Connection(path: path, access: .write, fileSystem: LogGatheringVFS.name)
    try connection.execute(
      """
      -- Commits do not sync the log, but checkpoints do before they write back: the acknowledger syncs behind a commit.
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 0;
      -- Nothing goes to the log before its commit. SQLite 3.40.1 can leave a log that a new start does not read to its end
      -- where a transaction spills pages and then goes back to a savepoint; groups have a bound, and so what waits in memory.
      PRAGMA cache_spill = OFF;
      PRAGMA secure_delete = OFF;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -\(options.cacheBytes >> 10);
      """)
    if let bytes = options.databaseBytes, let pageBytes = try connection.int64("PRAGMA page_size") {
      try connection.execute("PRAGMA max_page_count = \(bytes / pageBytes)")
    }
    return connection
  }

  /// - Parameter cacheBytes: the most memory in which it keeps pages.
  static func reader(path: String, cacheBytes: Int) throws(SQLiteError) -> Connection {
    let connection = try Connection(path: path, access: .read)
    try connection.execute(
      """
      PRAGMA query_only = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -\(cacheBytes >> 10);
      """)
    connection.setBusyTimeout(milliseconds: readBusyTimeoutMilliseconds)
    return connection
  }
}
