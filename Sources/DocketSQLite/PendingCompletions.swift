import DequeModule
import DocketStore

/// The completions of a session's writes and transactions, in the order of submission. The writer answers in that order, so only
/// the answers cross threads.
///
/// `@unchecked Sendable`: the store's threads pass it on and open it only inside `deliver`, on the session's executor.
final class PendingCompletions: @unchecked Sendable {
  enum Completion {
    case write((Result<WriteOutcome, StoreError>) -> Void)
    case transaction((Result<TransactionOutcome<any Sendable>, StoreError>) -> Void)
    case settings((Result<SettingsChange, StoreError>) -> Void)
    case token((Result<AccessToken?, StoreError>) -> Void)

    fileprivate func callAsFunction(_ answer: WorkAnswer) {
      switch (self, answer) {
      case (.write(let completion), .write(let outcome)): completion(.success(outcome))
      case (.write(let completion), .failure(let error)): completion(.failure(error))
      case (.transaction(let completion), .transaction(let outcome)): completion(.success(outcome))
      case (.transaction(let completion), .failure(let error)): completion(.failure(error))
      case (.settings(let completion), .settings(let change)): completion(.success(change))
      case (.settings(let completion), .failure(let error)): completion(.failure(error))
      case (.token(let completion), .token(let token)): completion(.success(token))
      case (.token(let completion), .failure(let error)): completion(.failure(error))
      case (.write, _), (.transaction, _), (.settings, _), (.token, _):
        preconditionFailure("answers come in the order of the work")
      }
    }
  }

  private var waiting = Deque<Completion>()
  private(set) var isClosed = false

  func append(_ completion: Completion) {
    waiting.append(completion)
  }

  /// Answers the oldest.
  func answer(_ answers: [WorkAnswer]) {
    guard !isClosed else { return }
    for answer in answers {
      // A completion may close the session, which leaves nothing to answer.
      guard let completion = waiting.popFirst() else { return }
      completion(answer)
    }
  }

  /// Answers the newest, which were not handed over; older ones may still wait.
  func refuseNewest(_ count: Int, with error: StoreError) {
    let refused = Array(waiting.suffix(count))
    waiting.removeLast(count)
    for completion in refused { completion(.failure(error)) }
  }

  /// Forgets them all; what comes for them is dropped.
  func close() {
    isClosed = true
    waiting = []
  }
}
