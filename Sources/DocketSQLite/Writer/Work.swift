import DocketStore

/// What waits for the writer.
enum Work: Sendable {
  case write(Write)
  case transaction(PendingTransaction)
  case settings(CollectionPath, CollectionSettings?)
  case token(TokenChange)

  var size: WorkSize {
    switch self {
    case .write(let write):
      WorkSize(dataBytes: write.dataBytes, requests: 1, mayTakeLong: write.action.mayTakeLong)
    case .transaction(let transaction):
      WorkSize(dataBytes: transaction.bytes, requests: transaction.requests, mayTakeLong: transaction.mayTakeLong)
    case .settings, .token: WorkSize(dataBytes: 0, requests: 1)
    }
  }
}

/// A transaction whose answer's type is known to its session alone.
struct PendingTransaction: Sendable {
  let kind: TransactionKind
  let bytes: Int
  let requests: Int
  let mayTakeLong: Bool
  let key: IdempotencyKey?
  let body: @Sendable (any DocumentAccess) -> TransactionResult<any Sendable>

  init<Answer>(_ transaction: Transaction<Answer>) {
    kind = transaction.kind
    bytes = transaction.bytes
    requests = transaction.requests
    mayTakeLong = transaction.mayTakeLong
    key = transaction.key
    let body = transaction.body
    self.body = { access in
      let result = body(access)
      return TransactionResult(
        result.answer, answerBytes: result.answerBytes, keepsWrites: result.keepsWrites, kept: result.kept)
    }
  }
}

/// What the writer tells of work that it has done.
enum WorkAnswer: Sendable {
  case write(WriteOutcome)
  case transaction(TransactionOutcome<any Sendable>)
  case settings(SettingsChange)
  case token(AccessToken?)
  case failure(StoreError)

  init(_ result: Result<WriteOutcome, StoreError>) {
    switch result {
    case .success(let outcome): self = .write(outcome)
    case .failure(let error): self = .failure(error)
    }
  }
}

extension TransactionOutcome<any Sendable> {
  /// The outcome as the transaction's own type has it.
  func typed<Own>(as type: Own.Type) -> TransactionOutcome<Own> {
    switch self {
    case .answered(let answer):
      guard let answer = answer as? Own else { preconditionFailure("a transaction answers with its own type") }
      return .answered(answer)
    case .repeated(let kept): return .repeated(kept)
    case .keyInUse: return .keyInUse
    }
  }
}
