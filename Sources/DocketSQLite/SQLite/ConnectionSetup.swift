/// How the store's connections are set up (https://sqlite.org/pragma.html).
enum ConnectionSetup {
  /// A reader meets a lock only while another process recovers the log.
  static let readBusyTimeoutMilliseconds: Int32 = 100

  /// Nothing goes to the log before its commit, so that all that writes keeps its changes in memory until then: 1.07 bytes
  /// for each byte of new pages, 2.06 of changed ones, whose old form is kept for going back (measured).
  ///
  /// Before 3.50.2 SQLite can leave frames without checksums in the log where a transaction has spilled pages, some of them
  /// twice, and then goes back to a savepoint, or one of its statements fails. A new start reads the log up to there: what
  /// was committed behind is lost, and with a checkpoint in between the file is damaged
  /// (https://sqlite.org/src/info/5973f9b9aa828ec9). To be given outside of transactions.
  static let withoutSpilling = "PRAGMA cache_spill = OFF;"

  /// The writer, on a file in WAL mode: it alone checkpoints, and it waits for locks in its own way, so that no write
  /// waits too long.
  static func writer(path: String, options: SQLiteStoreOptions) throws(SQLiteError) -> Connection {
    let connection = try Connection(path: path, access: .write, fileSystem: LogGatheringVFS.name)
    try connection.execute(
      """
      -- Commits do not sync the log, but checkpoints do before they write back: the acknowledger syncs behind a commit.
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 0;
      \(withoutSpilling)
      PRAGMA secure_delete = OFF;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -\(options.cacheBytes >> 10);
      """)
    try connection.noteEncoding()
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
    try connection.noteEncoding()
    return connection
  }
}
