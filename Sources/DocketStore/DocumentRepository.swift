import NIOCore

/// Documents that survive restarts: what a store is to everything above it.
///
/// Nothing above this protocol knows which store it has. Every implementation passes `RepositoryConformance`.
public protocol DocumentRepository: Sendable {
  /// Opens a session for one executor (an event loop, a test's thread).
  ///
  /// - Parameter deliver: runs the given work on the session's executor. The store calls it from its own threads,
  ///   once for all the answers that are ready together.
  func makeSession(
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(StoreError) -> any RepositorySession

  /// Has body run on a thread of the store's own, with a reader that is good until it returns; it must return once the
  /// reader's wait says that the store is closing. `close` waits for that.
  /// - Parameter urgently: whether others wait for what it reads. Who only catches up may wait for seconds where long reads hold up
  ///   the store's own work.
  /// - Returns: what wakes the reader, from any thread: its `wait` returns, or the next one does if it is not waiting.
  func follow(
    urgently: Bool, _ body: @escaping @Sendable (any ChangeReader) -> Void
  ) throws(StoreError) -> @Sendable () -> Void

  /// Has the store keep the changes behind this one, whatever their age, until told otherwise; nil: none on this account. Of a
  /// change that a session sees after this call, none behind it is lost.
  func keepChanges(after sequence: Revision?)

  /// Returns when the store can no longer hold what it promises, with the reason. Until then it waits.
  func waitForFailure() async throws -> StoreError

  /// Ends what takes long and nobody should wait for, such as a backup that is being made: whoever asked for it is told
  /// `closed`. It returns at once; all else goes on until `close`.
  func prepareToClose()

  /// Takes no more writes, finishes those it has, and closes the files. Sessions are of no use afterwards.
  /// It blocks for as long as that takes, so it does not belong on an event loop.
  func close()
}

/// One executor's view of a repository. All calls come from that executor, and every completion is called on it,
/// once: at once, inside the call, or later through `deliver`.
///
/// Reads of single documents and writes belong within a tick; a scan or query takes a snapshot of its own after the call, on
/// another thread. Writes and transactions keep their order among each other.
public protocol RepositorySession: DocumentAccess, PastAccess, QueryAccess, CollectionAccess, SettingsAccess,
  ChangeAccess, TokenAccess, BackupAccess
{
  /// Whether a tick has begun and not ended.
  var isInTick: Bool { get }

  /// Whether so much waits to be written that nobody should have much of it: so those who ask for little are kept waiting less by those
  /// who ask for much.
  var writesAreCrowded: Bool { get }

  /// How much memory the session holds documents in, so that they are at hand, in bytes.
  var cachedBytes: Int { get }

  /// Begins a tick: until `endTick`, reads of single documents hold every write acknowledged before this call, by
  /// whichever process, and none is older than the one before it.
  func beginTick()

  /// The data of a document, as `document(at:)` would tell it, where it can be told at once. nil says nothing of the
  /// document.
  ///
  /// - Parameter name: its path as text: the collection, then the id, not percent-encoded. It may be any text.
  /// - Returns: memory of the session's, valid until its next call.
  func data(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer?

  /// Ends the tick: gives back the snapshot and hands over the writes that were submitted in it.
  func endTick()

  /// Whether what the reads of the last tick told is as durable as the store promises. Until it is, nobody may be told.
  /// - Parameter body: called on the executor, if it is not yet: with true once it is, with false if it never will be.
  func readsAreDurable(otherwise body: @escaping (Bool) -> Void) -> Bool

  /// Submits a transaction, as a write is submitted.
  func transact<Answer>(
    _ transaction: Transaction<Answer>, completion: @escaping (Result<TransactionOutcome<Answer>, StoreError>) -> Void)

  /// What the store knows of itself, read off the executor.
  func status(completion: @escaping (Result<StoreStatus, StoreError>) -> Void)

  /// Gives back what the session holds. Writes that were submitted still happen; their completions are not called.
  func close()
}

/// A store's account of itself, for operators.
public struct StoreStatus: Sendable, Equatable {
  /// Names this history of the database; a restored backup begins a new one.
  public let historyID: String
  /// The newest revision, 0 in an empty database.
  public let revision: Revision
  /// The oldest revision at which the past can still be read.
  public let oldestRevision: Revision
  /// The size of what documents and history are stored in, and of the log beside it, in bytes.
  public let databaseBytes: Int64
  public let logBytes: Int64
  /// How much more can be stored where they are.
  public let freeBytes: Int64
  public let engine: String
  /// All that is stored, in bytes.
  public var fileBytes: Int64 { databaseBytes + logBytes }
  /// What waits to be written, in bytes, and how much may.
  public var writeQueueBytes = 0
  public var writeQueueLimitBytes = 0
  /// What a change of settings makes at the moment; nil: nothing.
  public var build: Build?

  public struct Build: Sendable, Equatable {
    /// Like `/notes/ ["status", "-priority"]`.
    public let name: String
    /// How much of it is done, about.
    public let percent: Int

    public init(name: String, percent: Int) {
      self.name = name
      self.percent = percent
    }
  }

  public init(
    historyID: String, revision: Revision, oldestRevision: Revision, databaseBytes: Int64, logBytes: Int64,
    freeBytes: Int64, engine: String
  ) {
    self.historyID = historyID
    self.revision = revision
    self.oldestRevision = oldestRevision
    self.databaseBytes = databaseBytes
    self.logBytes = logBytes
    self.freeBytes = freeBytes
    self.engine = engine
  }
}
