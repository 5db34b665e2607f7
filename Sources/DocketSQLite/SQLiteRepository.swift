import CoreMetrics
import DocketStore
import Logging
import NIOConcurrencyHelpers

/// Documents in one SQLite file, which anyone may read and change with `sqlite3` meanwhile.
///
/// One thread writes, in groups; each session reads on its executor; scans have two threads of their own, queries as many as
/// the options say, and each who follows the changes one.
public final class SQLiteRepository: DocumentRepository {
  private let path: String
  private let options: SQLiteStoreOptions
  private let clock: WallClock
  private let queue: WriteQueue
  private let scans: ScanPool
  /// By themselves, so that no page waits for a query that takes long.
  private let queries: ScanPool
  private let feeds: FeedThreads
  /// What all of these pass.
  private let gate: ReaderGate
  private let backups: BackupShelf
  private let writerThread: WorkerThread
  private let failure = FailureSignal()
  private let mark = SyncMark()
  private let keptChanges = KeptChanges()
  private let rowKeys: RowKeys
  /// Keeps other servers away; nil once all is closed. Its lock is held while closing, so that every caller of `close`
  /// returns when that is done.
  private let file: NIOLockedValueBox<DatabaseFile?>

  private static let scanThreads = 2
  let progress = BuildProgress()

  /// Serves a file whose schema is in place.
  /// - Parameter syncLog: syncs the log in the place of what the options say, and tells why not if it cannot; for tests.
  init(
    _ file: DatabaseFile, options: SQLiteStoreOptions, clock: WallClock, logger: Logger,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance, syncLog: (@Sendable () -> String?)? = nil
  ) throws(SQLiteError) {
    options.assertRelations()
    self.file = NIOLockedValueBox(file)
    path = file.path
    self.options = options
    self.clock = clock
    queue = WriteQueue(limitBytes: options.writeQueueBytes)
    gate = ReaderGate(patienceMilliseconds: options.gatePatienceMilliseconds)
    rowKeys = RowKeys(limitBytes: options.rowKeyBytes)
    let writer = try Writer(
      connection: ConnectionSetup.writer(path: path, options: options),
      cache: DocumentCache(limitBytes: options.documentCacheBytes, rowKeys: rowKeys), path: path, queue: queue,
      gate: gate, options: options, clock: clock, logger: logger, failureSignal: failure, mark: mark,
      keptChanges: keptChanges, progress: progress,
      meters: WriteMeters(metrics), syncLog: syncLog)
    feeds = FeedThreads(mark: mark)
    scans = try Self.pool(
      path: path, threads: Self.scanThreads, cacheBytes: options.cacheBytes, gate: gate, options: options, clock: clock)
    queries = try Self.pool(
      path: path, threads: options.queryThreads, cacheBytes: options.queryCacheBytes / options.queryThreads, gate: gate,
      options: options, clock: clock)
    backups = BackupShelf(
      of: path,
      options: BackupShelf.Options(
        folder: options.backupFolder, series: options.backupSeries, fetchSeconds: options.backupFetchSeconds,
        queueLength: options.scanQueueLength),
      clock: clock, logger: logger)
    writerThread = WorkerThread(name: "docket-writer") { writer.run() }
  }

  private static func pool(
    path: String, threads: Int, cacheBytes: Int, gate: ReaderGate, options: SQLiteStoreOptions, clock: WallClock
  ) throws(SQLiteError) -> ScanPool {
    let stop = ScanReader.Stop()
    var readers: [ScanReader] = []
    for _ in 0..<threads {
      let connection = try ConnectionSetup.reader(path: path, cacheBytes: cacheBytes)
      readers.append(
        try ScanReader(connection, path: path, clock: clock, stop: stop, changeLimits: options.changeLimits))
    }
    return ScanPool(readers, stop: stop, gate: gate, queueLength: options.scanQueueLength)
  }

  public func makeSession(
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(StoreError) -> any RepositorySession {
    guard !queue.isClosed else { throw .closed }
    do throws(SQLiteError) {
      return try SQLiteSession(
        connection: ConnectionSetup.reader(path: path, cacheBytes: options.sessionCacheBytes),
        cache: DocumentCache(limitBytes: options.documentCacheBytes, rowKeys: rowKeys), clock: clock, mark: mark,
        queue: queue, scans: scans, queries: queries, backups: backups, progress: progress, options: options,
        deliver: deliver)
    } catch {
      throw StoreError(reading: error)
    }
  }

  public func follow(
    urgently: Bool, _ body: @escaping @Sendable (any ChangeReader) -> Void
  ) throws(StoreError) -> @Sendable () -> Void {
    let signal = FeedSignal()
    let feed: FeedReader
    do throws(SQLiteError) {
      let connection = try ConnectionSetup.reader(path: path, cacheBytes: options.cacheBytes)
      let reader = try ScanReader(
        connection, path: path, clock: clock, stop: feeds.stop, changeLimits: options.changeLimits)
      feed = FeedReader(
        reader, connection, signal: signal, mark: mark, gate: gate, isUrgent: urgently,
        queryMilliseconds: options.queryDeadlineMilliseconds, lookMilliseconds: options.feedLookMilliseconds)
    } catch {
      throw StoreError(reading: error)
    }
    guard feeds.start(feed, signal, body) else { throw .closed }
    return { signal.wake() }
  }

  public func keepChanges(after sequence: Revision?) { keptChanges.keep(after: sequence?.rawValue) }

  /// - Throws: `StoreError.closed` once the repository was closed, `CancellationError`.
  public func waitForFailure() async throws -> StoreError {
    try await failure.wait()
  }

  public func prepareToClose() { backups.prepareToClose() }

  /// Sessions should be closed before: whichever connection is the last to go removes the log, unless it only reads.
  public func close() {
    file.withLockedValue { file in
      guard file != nil, !queue.isClosed else { return }
      // The writer's connection is the last of the repository's own.
      progress.stop()
      backups.close()
      scans.close()
      queries.close()
      feeds.close()
      queue.close()
      writerThread.join()
      // After a failure nobody else may take over the file before this process has ended.
      if failure.outcome == .closed { file = nil }
    }
  }
}
