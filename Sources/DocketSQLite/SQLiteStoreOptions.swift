import DocketJSON

/// What a store on SQLite promises and how much it may take.
public struct SQLiteStoreOptions: Sendable {
  /// What an acknowledged write survives.
  public enum Durability: String, Sendable, CaseIterable {
    /// Loss of power: each group of writes is synced before it is acknowledged.
    case full
    /// The death of the process, not that of the machine.
    case normal
  }

  /// Default: full.
  public var durability = Durability.full
  /// How long a write may wait for another process that holds the write lock. Default: 5,000 ms.
  public var busyTimeoutMilliseconds: Int64 = 5_000
  /// How long the writer goes on, when the store closes, with what still waits for it. What it does not come to was not
  /// acknowledged, and is not done.
  public var closingMilliseconds: Int64 = 2_000
  /// How many bytes of writes may wait; each counts its data and 256 bytes. Default: 64 MiB.
  public var writeQueueBytes = 64 << 20
  /// The largest document, in bytes of JSON text. Default: 1 MiB.
  public var documentBytes = 1 << 20
  /// How many arrays and objects may be open at once in a document. Default: 128.
  public var documentDepth = JSONLimits.maximumDepth
  /// The most writes that are committed together. Default: 1,024.
  public var groupWrites = 1_024
  /// A group ends with the write that brings its data to so many bytes. Default: 4 MiB.
  public var groupBytes = 4 << 20
  /// How large the database file may grow, in bytes, before writes are answered with `full`. Default: nil, as large as
  /// the disk allows.
  public var databaseBytes: Int64?
  /// How long history is kept, in days of 24 hours; 0 keeps only the newest row. Default: 7.
  public var historyDays = 7
  /// How much of the used part of the file history may be, in percent. Default: 50.
  public var historySharePercent = 50
  /// History smaller than this is not measured by its share. Default: 8 MiB.
  public var historyFloorBytes: Int64 = 8 << 20
  /// The log is written back into the database file when it holds so many pages. Default: 16,000 (62 MiB).
  public var checkpointPages: Int64 = 16_000
  /// The log is emptied when nothing was written for so long. Default: 1,000 ms.
  public var idleMilliseconds: Int64 = 1_000
  /// In the midst of writes, expired documents are cleared away at least so often. Default: 500 ms.
  public var sweepMilliseconds: Int64 = 500
  /// How long one scan may take. Default: 5,000 ms.
  public var scanDeadlineMilliseconds: Int64 = 5_000
  /// How long one query may take. Default: 5,000 ms.
  public var queryDeadlineMilliseconds: Int64 = 5_000
  /// Where backups lie, a folder that is there; nil: nowhere. Default: nil.
  public var backupFolder: String?
  /// Which backups are made by themselves, if there is a folder. Default: none.
  public var backupSeries: BackupSeries?
  /// How long a copy for fetching is kept once nobody asks for it any more. Default: 60 s.
  public var backupFetchSeconds: Int64 = 60
  /// How many queries run at once, each on a thread of its own. Default: 2.
  public var queryThreads = 2
  /// How many scans, and how many queries, may wait for a thread; one more is refused as `tooManyScans`. Default: 256.
  public var scanQueueLength = 256
  /// How long one batch may take before it is undone, and the search for an equal document; meanwhile all other writes
  /// wait. Default: 1,000 ms.
  public var batchDeadlineMilliseconds: Int64 = 1_000
  /// How long an answer is kept under its idempotency key, in hours. Default: 24.
  public var keptAnswerHours = 24
  /// How much is kept of answers in all, in bytes, 256 for each added; the oldest go first. Default: 512 MiB.
  public var keptAnswerBytes: Int64 = 512 << 20
  /// How many tokens there may be.
  public var tokens = TokenLimits()
  /// The most memory in which the writer, and each thread that scans, keeps pages, in bytes. Default: 4 MiB.
  public var cacheBytes = 4 << 20
  /// The same for the connection of each session. Default: 32 MiB, in which the inner pages of some million documents find
  /// place.
  public var sessionCacheBytes = 32 << 20
  /// The same for the threads that query, together. They find documents here and there, and each page that is not at hand is
  /// a system call. Default: 32 MiB.
  public var queryCacheBytes = 32 << 20
  /// How much of documents each session, and the writer, keeps at hand, in bytes; 0 keeps none. Default: 16 MiB.
  public var documentCacheBytes = 16 << 20
  /// How much memory the rows of documents may take that are not at hand, 8 bytes for each, in bytes; 0 keeps none. All
  /// sessions share it. Default: 16 MiB, the rows of some million documents.
  public var rowKeyBytes = 16 << 20

  /// How long a read waits at most for the log to begin anew. It is more than the longest one may take, unless `--query-timeout` says
  /// more.
  var gatePatienceMilliseconds: Int64 = 10_000
  /// How often threads that wait for changes look for commits of other processes.
  var feedLookMilliseconds: Int64 = 150
  /// How changes are read.
  var changeLimits = ChangeLogReader.Limits()

  public init() {}

  /// Stops the program where options contradict each other.
  func assertRelations() {
    precondition(busyTimeoutMilliseconds >= 0 && scanDeadlineMilliseconds > 0 && idleMilliseconds > 0)
    precondition(queryDeadlineMilliseconds > 0)
    precondition(documentBytes > 0 && documentDepth > 0)
    precondition(
      writeQueueBytes >= documentBytes + WorkSize.overheadBytes, "the write queue holds the largest document")
    precondition(groupWrites > 0 && groupBytes > 0)
    precondition(historyDays >= 0 && historyFloorBytes >= 0)
    precondition((0...100).contains(historySharePercent), "the share of history is a percentage")
    precondition(tokens.holding > 0 && tokens.ended >= 0 && (0...36_500).contains(tokens.endedDays))
    precondition(databaseBytes ?? .max >= 1 << 16, "the empty tables have room")
    precondition(
      batchDeadlineMilliseconds > 0 && sweepMilliseconds > 0 && (1...87_600).contains(keptAnswerHours)
        && keptAnswerBytes > 0)
    precondition(
      checkpointPages > 0 && scanQueueLength > 0 && queryThreads > 0 && cacheBytes > 0 && sessionCacheBytes > 0
        && queryCacheBytes > 0
        && documentCacheBytes >= 0 && rowKeyBytes >= 0)
  }
}
