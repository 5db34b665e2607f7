import DocketStore
import Logging

/// Documents in one SQLite file, which anyone may read and change with `sqlite3` meanwhile.
///
/// One thread writes, in groups; each session reads on its executor; scans have two threads of their own.
public final class SQLiteRepository: DocumentRepository {
  private let path: String
  private let options: SQLiteStoreOptions
  private let clock: WallClock
  private let queue: WriteQueue
  private let scans: ScanPool
  private let writerThread: WorkerThread
  private let failure = FailureSignal()

  private static let scanThreads = 2

  /// Serves a file whose schema is in place.
  /// - Parameter connection: the writer's, which the repository takes over.
  init(
    path: String, connection: Connection, options: SQLiteStoreOptions, clock: WallClock, logger: Logger
  ) throws(SQLiteError) {
    options.assertRelations()
    self.path = path
    self.options = options
    self.clock = clock
    queue = WriteQueue(limitBytes: options.writeQueueBytes)
    try ConnectionSetup.prepareWriter(connection, options: options)
    let writer = try Writer(
      connection: connection, path: path, queue: queue, options: options, clock: clock, logger: logger,
      failureSignal: failure)
    let stop = ScanReader.Stop()
    var readers: [ScanReader] = []
    for _ in 0..<Self.scanThreads {
      let connection = try ConnectionSetup.reader(path: path, options: options)
      readers.append(try ScanReader(connection, path: path, clock: clock, stop: stop))
    }
    scans = ScanPool(readers, stop: stop, queueLength: options.scanQueueLength)
    writerThread = WorkerThread(name: "docket-writer") { writer.run() }
  }

  public func makeSession(
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(StoreError) -> any RepositorySession {
    do throws(SQLiteError) {
      return try SQLiteSession(
        connection: ConnectionSetup.reader(path: path, options: options), clock: clock, queue: queue, scans: scans,
        scanDeadlineMilliseconds: options.scanDeadlineMilliseconds, deliver: deliver)
    } catch {
      throw StoreError(reading: error)
    }
  }

  /// - Throws: `StoreError.closed` once the repository was closed, `CancellationError`.
  public func waitForFailure() async throws -> StoreError {
    try await failure.wait()
  }

  /// To be called once, when the sessions are closed.
  public func close() {
    // The writer's connection is the last to go: one that only reads would leave the log behind.
    scans.close()
    queue.close()
    writerThread.join()
  }
}
