import DocketStore
import Foundation
import NIOCore

/// One executor's view of an `InMemoryRepository`.
final class InMemorySession: RepositorySession {
  let repository: InMemoryRepository
  let deliver: @Sendable (@escaping @Sendable () -> Void) -> Void
  let answers = PendingAnswers()
  private(set) var snapshot: DocumentModel?
  /// What is to be done when the tick ends: each does one piece of work and returns how it is to be answered.
  var submitted: [@Sendable (InMemoryRepository) -> @Sendable (PendingAnswers) -> Void] = []

  init(
    repository: InMemoryRepository,
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) {
    self.repository = repository
    self.deliver = deliver
  }

  var writesAreCrowded: Bool { false }
  var isInTick: Bool { snapshot != nil }
  let cachedBytes = 0

  func beginTick() {
    precondition(snapshot == nil, "a tick begins inside a tick")
    snapshot = repository.state.withLockedValue { $0.model }
  }

  func endTick() {
    precondition(snapshot != nil, "no tick has begun")
    snapshot = nil
    guard !submitted.isEmpty else { return }
    let work = submitted
    submitted = []
    repository.writer.async { [repository, deliver, answers] in
      let tellings = work.map { $0(repository) }
      deliver {
        for tell in tellings { tell(answers) }
      }
    }
  }

  func readsAreDurable(otherwise body: @escaping (Bool) -> Void) -> Bool { true }

  func document(
    at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void
  ) {
    guard let snapshot else { preconditionFailure("a read outside a tick") }
    let isClosed = repository.state.withLockedValue { $0.isClosed }
    completion(isClosed ? .failure(.closed) : .success(snapshot.document(at: path, now: repository.clock())))
  }

  /// A model tells nothing in this way: what asks must do without.
  func data(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? { nil }

  func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void) {
    precondition(snapshot != nil, "a write outside a tick")
    let ticket = answers.expect(completion)
    submitted.append { repository in
      let result = repository.apply(write)
      return { $0.complete(ticket, with: result) }
    }
  }

  func transact<Answer>(
    _ transaction: Transaction<Answer>, completion: @escaping (Result<TransactionOutcome<Answer>, StoreError>) -> Void
  ) {
    precondition(snapshot != nil, "a transaction outside a tick")
    let ticket = answers.expect(completion)
    submitted.append { repository in
      let result = repository.transact(transaction)
      return { $0.complete(ticket, with: result) }
    }
  }

  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<State, StoreError>) -> Void
  ) {
    let ticket = answers.expect(completion)
    DispatchQueue.global().async { [repository, deliver, answers] in
      let (isClosed, model) = repository.state.withLockedValue { ($0.isClosed, $0.model) }
      var result = state
      if !isClosed {
        for document in model.documents(in: collection, after: after, now: repository.clock()) {
          if case .stop = visit(&result, document) { break }
        }
      }
      let answer: Result<State, StoreError> = isClosed ? .failure(.closed) : .success(result)
      deliver { answers.complete(ticket, with: answer) }
    }
  }

  func status(completion: @escaping (Result<StoreStatus, StoreError>) -> Void) {
    let ticket = answers.expect(completion)
    DispatchQueue.global().async { [repository, deliver, answers] in
      let (isClosed, revision) = repository.state.withLockedValue { ($0.isClosed, $0.model.revision) }
      let status = StoreStatus(
        historyID: InMemoryRepository.historyID, revision: revision, oldestRevision: Revision(0), databaseBytes: 0,
        logBytes: 0, freeBytes: .max, engine: "memory")
      let answer: Result<StoreStatus, StoreError> = isClosed ? .failure(.closed) : .success(status)
      deliver { answers.complete(ticket, with: answer) }
    }
  }

  func close() {
    answers.forgetAll()
  }
}

/// The completions that wait for an answer, under tickets that other threads can carry.
///
/// It is unchecked because completions need not be Sendable: they are added by the session and called by what it hands
/// to `deliver`, both on the session's executor, so no two threads are ever in here at once.
final class PendingAnswers: @unchecked Sendable {
  private var waiting: [Int: (Any) -> Void] = [:]
  private var lastTicket = 0

  func expect<Answer>(_ completion: @escaping (Answer) -> Void) -> Int {
    lastTicket += 1
    waiting[lastTicket] = { answer in
      guard let answer = answer as? Answer else { preconditionFailure("a ticket answered with another's type") }
      completion(answer)
    }
    return lastTicket
  }

  func complete<Answer>(_ ticket: Int, with answer: Answer) {
    waiting.removeValue(forKey: ticket)?(answer)
  }

  func forgetAll() {
    waiting = [:]
  }
}
