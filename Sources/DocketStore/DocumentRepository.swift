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

  /// Returns when the store can no longer hold what it promises, with the reason. Until then it waits.
  func waitForFailure() async throws -> StoreError

  /// Takes no more writes, finishes those it has, and closes the files. Sessions are of no use afterwards.
  /// It blocks for as long as that takes, so it does not belong on an event loop.
  func close()
}

/// One executor's view of a repository. All calls come from that executor, and every completion is called on it,
/// once: at once, inside the call, or later through `deliver`.
public protocol RepositorySession: AnyObject {
  /// Begins a tick: until `endTick`, `document(at:)` reads from one snapshot that holds every write acknowledged
  /// before this call, by whichever process.
  func beginTick()

  /// Ends the tick: gives back the snapshot and hands over the writes that were submitted in it.
  func endTick()

  /// The document, or nil where there is none. Only within a tick.
  func document(
    at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void)

  /// Submits a write. Writes of one session take effect in the order in which they were submitted. Only within a tick.
  func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void)

  /// Visits the documents of a collection in byte order of their ids, on another thread, in one snapshot that is
  /// taken after this call.
  ///
  /// - Parameters:
  ///   - after: begins behind this id, whether or not such a document exists; nil begins at the start.
  ///   - state: what `visit` builds up; it comes back with the completion.
  ///   - visit: takes one document and says whether to go on. It runs on a thread of the store.
  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<State, StoreError>) -> Void)

  /// What the store knows of itself, read off the executor.
  func status(completion: @escaping (Result<StoreStatus, StoreError>) -> Void)

  /// Gives back what the session holds. Writes that were submitted still happen; their completions are not called.
  func close()
}

public enum ScanStep: Sendable {
  case next
  case stop
}

/// A store's account of itself, for operators.
public struct StoreStatus: Sendable, Equatable {
  /// Names this history of the database; a restored backup begins a new one.
  public let historyID: String
  /// The newest revision, 0 in an empty database.
  public let revision: Revision
  /// The oldest revision at which the past can still be read.
  public let oldestRevision: Revision
  /// The size of the stored files, in bytes.
  public let fileBytes: Int64
  public let engine: String

  public init(
    historyID: String, revision: Revision, oldestRevision: Revision, fileBytes: Int64, engine: String
  ) {
    self.historyID = historyID
    self.revision = revision
    self.oldestRevision = oldestRevision
    self.fileBytes = fileBytes
    self.engine = engine
  }
}
