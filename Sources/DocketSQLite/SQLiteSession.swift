import DocketStore

/// One executor's view of a `SQLiteRepository`: a read connection of its own, and writes collected for each tick.
final class SQLiteSession: RepositorySession {
  private let reader: SnapshotReader
  private let connection: Connection
  private let mark: SyncMark
  private let queue: WriteQueue
  private let scans: ScanPool
  private let queries: ScanPool
  private let backupShelf: BackupShelf
  private let options: SQLiteStoreOptions
  private let deliver: @Sendable (@escaping @Sendable () -> Void) -> Void
  private let completions = PendingCompletions()
  private let destination: AnswerDestination

  private let progress: BuildProgress
  private var work: [Work] = []
  private var workSize = WorkSize()
  private(set) var isInTick = false
  private var isClosed = false

  init(
    connection: Connection, cache: DocumentCache, clock: WallClock, mark: SyncMark, queue: WriteQueue, scans: ScanPool,
    queries: ScanPool,
    backups: BackupShelf, progress: BuildProgress, options: SQLiteStoreOptions,
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(SQLiteError) {
    reader = try SnapshotReader(connection, clock: clock, mark: mark, cache: cache)
    self.mark = mark
    self.connection = connection
    self.queue = queue
    self.scans = scans
    self.queries = queries
    backupShelf = backups
    self.progress = progress
    self.options = options
    self.deliver = deliver
    destination = AnswerDestination { [completions] answers in
      deliver { completions.answer(answers) }
    }
  }

  deinit { close() }

  var cachedBytes: Int { reader.cachedBytes }
  var writesAreCrowded: Bool { queue.isCrowded }

  func beginTick() {
    precondition(!isInTick, "a tick begins inside a tick")
    isInTick = true
    reader.beginTick()
  }

  func endTick() {
    precondition(isInTick, "no tick has begun")
    isInTick = false
    // The connection of a session that was closed has ended its statements.
    if !isClosed { reader.end() }
    guard !work.isEmpty else { return }
    let submission = WriteQueue.Submission(
      destination: destination, work: work, submittedMilliseconds: WallClock.uptimeMilliseconds())
    let size = workSize
    work = []
    workSize = WorkSize()
    if !queue.add(submission) {
      queue.release(size)
      completions.refuseNewest(submission.work.count, with: .closed)
    }
  }

  func readsAreDurable(otherwise body: @escaping (Bool) -> Void) -> Bool {
    guard let commit = reader.shownCommit, !mark.isSynced(commit) else { return true }
    let body = ExecutorBound(body)
    return mark.whenSynced(commit) { [deliver] isDurable in
      deliver { body.value(isDurable) }
    }
  }

  func document(at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void) {
    precondition(isInTick, "a read outside a tick")
    completion(isClosed ? .failure(.closed) : reader.document(at: path))
  }

  func data(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    precondition(isInTick, "a read outside a tick")
    return isClosed ? nil : reader.data(named: name)
  }

  func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void) {
    if let refusal = add(.write(write)) { return completion(.failure(refusal)) }
    completions.append(.write(completion))
  }

  func transact<Answer>(
    _ transaction: Transaction<Answer>, completion: @escaping (Result<TransactionOutcome<Answer>, StoreError>) -> Void
  ) {
    if let refusal = add(.transaction(PendingTransaction(transaction))) { return completion(.failure(refusal)) }
    completions.append(.transaction { result in completion(result.map { $0.typed(as: Answer.self) }) })
  }

  func change(
    _ collection: CollectionPath, to settings: CollectionSettings?,
    completion: @escaping (Result<SettingsChange, StoreError>) -> Void
  ) {
    if let refusal = add(.settings(collection, settings)) { return completion(.failure(refusal)) }
    completions.append(.settings(completion))
  }

  func settings(
    of collection: CollectionPath, completion: @escaping (Result<CollectionSettings?, StoreError>) -> Void
  ) {
    readLong(completion) { reader in reader.settings(of: collection) }
  }

  func allSettings(completion: @escaping (Result<[NamedSettings], StoreError>) -> Void) {
    readLong(completion) { reader in reader.allSettings() }
  }

  func add(_ token: NewToken, completion: @escaping (Result<AccessToken, StoreError>) -> Void) {
    if let refusal = add(.token(.add(token))) { return completion(.failure(refusal)) }
    completions.append(
      .token { result in
        completion(
          result.map { token in
            guard let token else { preconditionFailure("a token that is added is there") }
            return token
          })
      })
  }

  func revokeToken(_ nameOrID: String, completion: @escaping (Result<AccessToken?, StoreError>) -> Void) {
    if let refusal = add(.token(.revoke(nameOrID))) { return completion(.failure(refusal)) }
    completions.append(.token(completion))
  }

  func tokens(after place: TokenPlace?, limit: Int, completion: @escaping (Result<[AccessToken], StoreError>) -> Void) {
    readLong(completion) { reader in reader.tokens(after: place, limit: limit) }
  }

  func makeBackup(
    named name: BackupName?, acceptingFaults acceptsFaults: Bool,
    completion: @escaping (Result<NewBackup, StoreError>) -> Void
  ) {
    backupShelf.make(name, acceptsFaults: acceptsFaults, completion: bringingBack(completion))
  }

  func backups(completion: @escaping (Result<BackupList, StoreError>) -> Void) {
    backupShelf.list(completion: bringingBack(completion))
  }

  func readBackup(
    _ name: BackupName, from offset: Int64, completion: @escaping (Result<BackupPiece?, StoreError>) -> Void
  ) {
    backupShelf.read(name, from: offset, completion: bringingBack(completion))
  }

  func removeBackup(_ name: BackupName, completion: @escaping (Result<Bool, StoreError>) -> Void) {
    backupShelf.remove(name, completion: bringingBack(completion))
  }

  /// The same completion, for another thread to call.
  private func bringingBack<Value: Sendable>(
    _ completion: @escaping (Result<Value, StoreError>) -> Void
  ) -> @Sendable (Result<Value, StoreError>) -> Void {
    let completion = ExecutorBound(completion)
    return { [deliver, completions] result in
      deliver { if !completions.isClosed { completion.value(result) } }
    }
  }

  /// Takes work into the tick. Returns why not, if not.
  private func add(_ work: Work) -> StoreError? {
    precondition(isInTick, "a write outside a tick")
    guard !isClosed else { return .closed }
    let size = work.size
    guard queue.reserve(size) else { return .queueFull(limit: queue.limitBytes) }
    self.work.append(work)
    workSize += size
    return nil
  }

  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<State, StoreError>) -> Void
  ) {
    let deadline = deadline
    readLong(completion) { reader in
      reader.scan(collection, after: after, into: state, deadlineMilliseconds: deadline, visit: visit)
    }
  }

  func collections(
    readable: PathPrefixes, after: CollectionPath?, limit: Int,
    completion: @escaping (Result<[CollectionContents], StoreError>) -> Void
  ) {
    let deadline = deadline
    readLong(completion) { reader in
      reader.collections(readable: readable, after: after, limit: limit, deadlineMilliseconds: deadline)
    }
  }

  func revision(at time: Timestamp, completion: @escaping (Result<Revision, StoreError>) -> Void) {
    let deadline = deadline
    readLong(completion) { reader in reader.revision(at: time, deadlineMilliseconds: deadline) }
  }

  func document(
    at path: DocumentPath, asOf moment: PastMoment, completion: @escaping (Result<Document?, StoreError>) -> Void
  ) {
    let deadline = deadline
    readLong(completion) { reader in reader.document(at: path, asOf: moment, deadlineMilliseconds: deadline) }
  }

  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, asOf moment: PastMoment, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<(state: State, stoppedBehind: String?), StoreError>) -> Void
  ) {
    let deadline = deadline
    readLong(completion) { reader in
      reader.scan(
        collection, after: after, asOf: moment, into: state, deadlineMilliseconds: deadline, visit: visit)
    }
  }

  func versions<State: Sendable>(
    of path: DocumentPath, before: Revision?, into state: State,
    visit: @escaping @Sendable (inout State, Version) -> ScanStep,
    completion: @escaping (Result<State?, StoreError>) -> Void
  ) {
    let deadline = deadline
    readLong(completion) { reader in
      reader.versions(of: path, before: before, into: state, deadlineMilliseconds: deadline, visit: visit)
    }
  }

  func changes<State: Sendable>(
    _ range: ChangeRange, into state: State, visit: @escaping @Sendable (inout State, Change) -> ScanStep,
    completion: @escaping (Result<(state: State, progress: ChangeProgress, history: String), StoreError>) -> Void
  ) {
    let deadline = deadline
    readLong(completion) { reader in
      reader.changes(range, into: state, deadlineMilliseconds: deadline, visit: visit)
    }
  }

  func newestRevision() -> Result<Revision, StoreError> {
    precondition(isInTick, "a read outside a tick")
    return isClosed ? .failure(.closed) : reader.newestRevision()
  }

  /// By the uptime clock.
  private var deadline: Int64 { WallClock.uptimeMilliseconds() + options.scanDeadlineMilliseconds }

  func query<State: Sendable>(
    _ query: Query, cancellation: QueryCancellation?, into state: State,
    visit: @escaping @Sendable (inout State, DocumentView) -> ScanStep,
    completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void
  ) {
    let deadline = queryDeadline
    readLong(on: queries, completion) { reader in
      reader.query(query, into: state, deadlineMilliseconds: deadline, cancellation: cancellation, visit: visit)
    }
  }

  func search<State: Sendable>(
    _ query: Query, cancellation: QueryCancellation?, into state: State,
    visit: @escaping @Sendable (inout State, TextMatch) -> ScanStep,
    completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void
  ) {
    let deadline = queryDeadline
    readLong(on: queries, completion) { reader in
      reader.search(query, into: state, deadlineMilliseconds: deadline, cancellation: cancellation, visit: visit)
    }
  }

  func count(
    _ query: Query, cancellation: QueryCancellation?,
    completion: @escaping (Result<(count: Int, report: QueryReport), StoreError>) -> Void
  ) {
    let deadline = queryDeadline
    readLong(on: queries, completion) { reader in
      reader.count(query, deadlineMilliseconds: deadline, cancellation: cancellation)
    }
  }

  private var queryDeadline: Int64 { WallClock.uptimeMilliseconds() + options.queryDeadlineMilliseconds }

  func status(completion: @escaping (Result<StoreStatus, StoreError>) -> Void) {
    readLong(completion) { [progress, queue] reader in
      reader.status().map { status in
        var status = status
        status.build = progress.current
        status.writeQueueBytes = queue.reservedBytes
        status.writeQueueLimitBytes = queue.limitBytes
        return status
      }
    }
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    reader.end()
    completions.close()
    connection.close()
  }

  /// Has something read by the scan threads and brings the result back.
  private func readLong<Value: Sendable>(
    on pool: ScanPool? = nil, _ completion: @escaping (Result<Value, StoreError>) -> Void,
    _ read: @escaping @Sendable (ScanReader) -> Result<Value, StoreError>
  ) {
    guard !isClosed else { return completion(.failure(.closed)) }
    let completion = ExecutorBound(completion)
    let refusal = (pool ?? scans).submit { [deliver, completions, mark] reader in
      let result = read(reader)
      // What it has read may have been committed a moment ago.
      let failure = mark.waitUntilSynced(mark.visible)
      deliver {
        if !completions.isClosed { completion.value(failure.map { .failure($0) } ?? result) }
      }
    }
    if let refusal { completion.value(.failure(refusal)) }
  }
}
