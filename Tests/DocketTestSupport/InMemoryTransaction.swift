import DocketStore
import NIOCore

/// Reads and writes within a transaction: on a copy of the model, which takes the model's place if it is kept.
final class InMemoryTransaction: DocumentAccess {
  private(set) var model: DocumentModel
  private(set) var ids: AscendingIDs
  private let now: Timestamp

  init(_ state: InMemoryRepository.State, kind: TransactionKind, now: Timestamp) {
    model = state.model
    ids = state.ids
    self.now = now
    if kind == .batch { model.beginBatch() }
  }

  func document(at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void) {
    completion(.success(model.document(at: path, now: now)))
  }

  func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void) {
    completion(model.apply(write, now: now, newID: { ids.next(now: now) }))
  }

  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<State, StoreError>) -> Void
  ) {
    var state = state
    for document in model.documents(in: collection, after: after, now: now) {
      if case .stop = visit(&state, document) { break }
    }
    completion(.success(state))
  }
}

extension InMemoryRepository {
  /// How long what was answered under an idempotency key is kept, in milliseconds.
  private static let keptMilliseconds: Int64 = 86_400_000

  func transact<Answer>(_ transaction: Transaction<Answer>) -> Result<TransactionOutcome<Answer>, StoreError> {
    state.withLockedValue { state in
      if state.isClosed { return .failure(.closed) }
      if let refusal = state.refusal { return .failure(refusal) }
      let now = clock()
      if let key = transaction.key, let kept = state.kept[key.name], now < kept.ends {
        return .success(kept.fingerprint == key.fingerprint ? .repeated(kept.answer) : .keyInUse)
      }
      let scope = InMemoryTransaction(state, kind: transaction.kind, now: now)
      let result = transaction.body(scope)
      if result.keepsWrites {
        state.model = scope.model
        state.model.endBatch()
      }
      state.ids = scope.ids
      if let key = transaction.key, let answer = result.kept {
        let ends = Timestamp(milliseconds: now.milliseconds + Self.keptMilliseconds)
        state.kept[key.name] = (key.fingerprint, answer, ends)
      }
      return .success(.answered(result.answer))
    }
  }
}
