import DocketStore

/// Carries out transactions inside the writer's open transaction: each within a savepoint, so that one that is undone
/// harms nobody else in its group.
struct TransactionExecutor {
  private let executor: WriteExecutor
  private let tables: DocumentTables
  private let walk: CollectionWalk
  private let answers: KeptAnswers
  private let savepoint: Savepoint
  private let deadlineMilliseconds: Int64

  init(
    _ connection: Connection, executor: WriteExecutor, tables: DocumentTables, answers: KeptAnswers,
    options: SQLiteStoreOptions
  ) throws(SQLiteError) {
    self.executor = executor
    self.tables = tables
    self.answers = answers
    walk = try CollectionWalk(connection)
    savepoint = try Savepoint(connection)
    deadlineMilliseconds = options.batchDeadlineMilliseconds
  }

  /// - Returns: the answer, and how much it holds in bytes.
  /// - Throws: what SQLite could not do; the group cannot be kept then.
  func run(
    _ transaction: PendingTransaction, in group: inout WriteExecutor.Group
  ) throws(SQLiteError) -> (WorkAnswer, bytes: Int) {
    guard executor.undoesRefusals else { return try carryOut(transaction, in: &group) }
    var trial = group
    try tables.writePending()
    try savepoint.set()
    let answer: (WorkAnswer, bytes: Int)
    do {
      answer = try carryOut(transaction, in: &trial)
      try tables.writePending()
    } catch {
      // Not one of its writes, which would be answered by itself, but what is kept of them.
      guard savepoint.isLeft(behind: error) else { throw error }
      tables.forget(behind: group.sequence)
      try savepoint.goBack()
      return (.failure(.refused(reason: error.message)), 0)
    }
    try savepoint.release()
    group = trial
    return answer
  }

  private func carryOut(
    _ transaction: PendingTransaction, in group: inout WriteExecutor.Group
  ) throws(SQLiteError) -> (WorkAnswer, bytes: Int) {
    if let key = transaction.key, let kept = try answers.find(key, wall: group.wall) {
      guard kept.fingerprint == key.fingerprint else { return (.transaction(.keyInUse), 0) }
      return (.transaction(.repeated(kept.answer)), kept.answer.readableBytes)
    }
    let result = try perform(transaction, in: &group)
    if let key = transaction.key, let kept = result.kept { try answers.keep(kept, under: key, wall: group.wall) }
    return (.transaction(.answered(result.answer)), result.answerBytes)
  }

  private func perform(
    _ transaction: PendingTransaction, in group: inout WriteExecutor.Group
  ) throws(SQLiteError) -> TransactionResult<any Sendable> {
    let isBatch = transaction.kind == .batch
    if isBatch {
      try tables.writePending()
      try savepoint.set()
      try executor.followTriggers(&group)
    }
    let scope = TransactionScope(
      executor: executor, tables: tables, walk: walk, group: isBatch ? group.asBatch() : group,
      deadlineMilliseconds: WallClock.uptimeMilliseconds() + deadlineMilliseconds)
    let result = transaction.body(scope)
    if let failure = scope.failure { throw failure }
    precondition(isBatch || result.keepsWrites, "a single write that is not kept has not been made")
    if isBatch, !result.keepsWrites {
      tables.forget(behind: group.sequence)
      try savepoint.goBack()
    } else {
      var end = scope.group
      if isBatch {
        try executor.followTriggers(&end)
        try savepoint.release()
      }
      group.sequence = end.sequence
    }
    return result
  }
}

/// Reads and writes within the writer's open transaction. It answers at once, and is of no use once its transaction has ended.
private final class TransactionScope: DocumentAccess {
  private let executor: WriteExecutor
  private let tables: DocumentTables
  private let walk: CollectionWalk
  private let deadlineMilliseconds: Int64
  private(set) var group: WriteExecutor.Group
  /// What SQLite could not do; from then on nothing is done.
  private(set) var failure: SQLiteError?

  init(
    executor: WriteExecutor, tables: DocumentTables, walk: CollectionWalk, group: WriteExecutor.Group,
    deadlineMilliseconds: Int64
  ) {
    self.executor = executor
    self.tables = tables
    self.walk = walk
    self.group = group
    self.deadlineMilliseconds = deadlineMilliseconds
  }

  func document(at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void) {
    completion(
      attempt { () throws(SQLiteError) in
        defer { tables.release() }
        guard let row = try tables.find(path.collection, path.id), !row.isExpired(wall: group.wall) else {
          return .success(nil)
        }
        return Document.read(
          path, revision: row.revision, created: row.created, updated: row.updated, expires: row.expires, data: row.data
        ).map { $0 }
      })
  }

  func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void) {
    completion(attempt { () throws(SQLiteError) in try executor.run(write, in: &group) })
  }

  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<State, StoreError>) -> Void
  ) {
    completion(
      attempt { () throws(SQLiteError) in
        var state = state
        try tables.writePending()
        let refusal = try walk.visit(collection, after: after, wall: group.wall) { document in
          isLate ? .failure(.deadlineExceeded) : .success(visit(&state, document))
        }
        return refusal.map { .failure($0) } ?? .success(state)
      })
  }

  private var isLate: Bool { WallClock.uptimeMilliseconds() > deadlineMilliseconds }

  private func attempt<Value>(
    _ work: () throws(SQLiteError) -> Result<Value, StoreError>
  ) -> Result<Value, StoreError> {
    if let failure { return .failure(.failed(reason: failure.description)) }
    if isLate { return .failure(.deadlineExceeded) }
    do throws(SQLiteError) {
      return try work()
    } catch {
      failure = error
      return .failure(.failed(reason: error.description))
    }
  }
}
