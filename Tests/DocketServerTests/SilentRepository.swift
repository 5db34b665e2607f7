import DocketStore
import Foundation
import NIOConcurrencyHelpers

/// A store that never answers, and keeps the cancellations of the queries that it was asked.
final class SilentRepository: DocumentRepository {
  private let box = NIOLockedValueBox<[QueryCancellation?]>([])

  var cancellations: [QueryCancellation?] { box.withLockedValue { $0 } }

  func makeSession(
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(StoreError) -> any RepositorySession {
    Session { [box] cancellation in box.withLockedValue { $0.append(cancellation) } }
  }

  func follow(
    urgently: Bool, _ body: @escaping @Sendable (any ChangeReader) -> Void
  ) throws(StoreError) -> @Sendable () -> Void {
    Thread.detachNewThread { body(Reader()) }
    return {}
  }

  func waitForFailure() async throws -> StoreError {
    while true { try await Task.sleep(for: .seconds(3600)) }
  }

  func prepareToClose() {}

  func close() {}

  func keepChanges(after sequence: Revision?) {}

  private final class Session: RepositorySession {
    private(set) var isInTick = false
    var writesAreCrowded: Bool { false }
    let cachedBytes = 0
    private let note: (QueryCancellation?) -> Void

    init(note: @escaping (QueryCancellation?) -> Void) { self.note = note }

    func beginTick() { isInTick = true }
    func endTick() { isInTick = false }
    func readsAreDurable(otherwise body: @escaping (Bool) -> Void) -> Bool { true }
    func data(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? { nil }
    func close() {}

    func query<State: Sendable>(
      _ query: Query, cancellation: QueryCancellation?, into state: State,
      visit: @escaping @Sendable (inout State, DocumentView) -> ScanStep,
      completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void
    ) { note(cancellation) }

    func search<State: Sendable>(
      _ query: Query, cancellation: QueryCancellation?, into state: State,
      visit: @escaping @Sendable (inout State, TextMatch) -> ScanStep,
      completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void
    ) { note(cancellation) }

    func count(
      _ query: Query, cancellation: QueryCancellation?,
      completion: @escaping (Result<(count: Int, report: QueryReport), StoreError>) -> Void
    ) { note(cancellation) }

    func change(
      _ collection: CollectionPath, to settings: CollectionSettings?,
      completion: @escaping (Result<SettingsChange, StoreError>) -> Void
    ) {}

    func settings(
      of collection: CollectionPath, completion: @escaping (Result<CollectionSettings?, StoreError>) -> Void
    ) {}

    func changes<State: Sendable>(
      _ range: ChangeRange, into state: State, visit: @escaping @Sendable (inout State, Change) -> ScanStep,
      completion: @escaping (Result<(state: State, progress: ChangeProgress, history: String), StoreError>) -> Void
    ) {}

    func newestRevision() -> Result<Revision, StoreError> { .failure(.closed) }

    func add(_ token: NewToken, completion: @escaping (Result<AccessToken, StoreError>) -> Void) {}
    func revokeToken(_ nameOrID: String, completion: @escaping (Result<AccessToken?, StoreError>) -> Void) {}
    func tokens(
      after: TokenPlace?, limit: Int, completion: @escaping (Result<[AccessToken], StoreError>) -> Void
    ) {}

    func makeBackup(
      named name: BackupName?, acceptingFaults acceptsFaults: Bool,
      completion: @escaping (Result<NewBackup, StoreError>) -> Void
    ) {}
    func backups(completion: @escaping (Result<BackupList, StoreError>) -> Void) {}
    func readBackup(
      _ name: BackupName, from offset: Int64, completion: @escaping (Result<BackupPiece?, StoreError>) -> Void
    ) {}
    func removeBackup(_ name: BackupName, completion: @escaping (Result<Bool, StoreError>) -> Void) {}

    func collections(
      readable: PathPrefixes, after: CollectionPath?, limit: Int,
      completion: @escaping (Result<[CollectionContents], StoreError>) -> Void
    ) {}

    func allSettings(completion: @escaping (Result<[NamedSettings], StoreError>) -> Void) {}

    func document(at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void) {}
    func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void) {}
    func revision(at time: Timestamp, completion: @escaping (Result<Revision, StoreError>) -> Void) {}
    func status(completion: @escaping (Result<StoreStatus, StoreError>) -> Void) {}

    func scan<State: Sendable>(
      _ collection: CollectionPath, after: String?, into state: State,
      visit: @escaping @Sendable (inout State, Document) -> ScanStep,
      completion: @escaping (Result<State, StoreError>) -> Void
    ) {}

    func transact<Answer>(
      _ transaction: Transaction<Answer>,
      completion: @escaping (Result<TransactionOutcome<Answer>, StoreError>) -> Void
    ) {}

    func document(
      at path: DocumentPath, asOf moment: PastMoment, completion: @escaping (Result<Document?, StoreError>) -> Void
    ) {}

    func scan<State: Sendable>(
      _ collection: CollectionPath, after: String?, asOf moment: PastMoment, into state: State,
      visit: @escaping @Sendable (inout State, Document) -> ScanStep,
      completion: @escaping (Result<(state: State, stoppedBehind: String?), StoreError>) -> Void
    ) {}

    func versions<State: Sendable>(
      of path: DocumentPath, before: Revision?, into state: State,
      visit: @escaping @Sendable (inout State, Version) -> ScanStep,
      completion: @escaping (Result<State?, StoreError>) -> Void
    ) {}
  }

  /// There is nothing, and it has ended already.
  private final class Reader: ChangeReader {
    func wait(forChanges: Bool, milliseconds: Int64?) -> Bool { false }
    func changes(
      _ range: ChangeRange, of interest: ChangeInterest, visit: (Change) -> ScanStep
    ) -> Result<ChangeProgress, StoreError> { .failure(.closed) }
    func newest() -> Result<(sequence: Revision, history: String), StoreError> { .failure(.closed) }
    func tokens() -> Result<TokenRoll, StoreError> { .success(TokenRoll(changes: 0, tokens: [])) }
    func query(_ query: Query, visit: (DocumentView) -> ScanStep) -> Result<QueryReport, StoreError> {
      .failure(.closed)
    }
    func document(at path: DocumentPath, asOf moment: PastMoment) -> Result<Document?, StoreError> { .failure(.closed) }
  }
}
