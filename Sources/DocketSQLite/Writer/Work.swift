import DocketStore

/// What waits for the writer.
enum Work: Sendable {
  case write(Write)
  case transaction(PendingTransaction)
  case settings(CollectionPath, CollectionSettings?)
  case token(TokenChange)

  var size: WorkSize {
    switch self {
    case .write(let write): WorkSize(dataBytes: write.dataBytes, requests: 1)
    case .transaction(let transaction): WorkSize(dataBytes: transaction.bytes, requests: transaction.requests)
    case .settings, .token: WorkSize(dataBytes: 0, requests: 1)
    }
  }
}

/// How much work is: the memory that it takes while it waits, and the time that it takes to carry out.
struct WorkSize: Sendable, Equatable {
  /// What a write or a transaction is reckoned to take besides its data.
  static let overheadBytes = 256

  private(set) var bytes = 0
  private(set) var requests = 0

  /// A write of little data takes as long as so many bytes of a larger one's.
  private static let bytesOfRequest = 256

  /// Of the time that it takes, in bytes that could be written meanwhile: some twenty nanoseconds each.
  var weight: Int { bytes + requests * Self.bytesOfRequest }

  init() {}

  init(dataBytes: Int, requests: Int) {
    bytes = dataBytes + Self.overheadBytes
    self.requests = requests
  }

  static func += (size: inout WorkSize, more: WorkSize) {
    size.bytes += more.bytes
    size.requests += more.requests
  }
}

/// A transaction whose answer's type is known to its session alone.
struct PendingTransaction: Sendable {
  let kind: TransactionKind
  let bytes: Int
  let requests: Int
  let key: IdempotencyKey?
  let body: @Sendable (any DocumentAccess) -> TransactionResult<any Sendable>

  init<Answer>(_ transaction: Transaction<Answer>) {
    kind = transaction.kind
    bytes = transaction.bytes
    requests = transaction.requests
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
