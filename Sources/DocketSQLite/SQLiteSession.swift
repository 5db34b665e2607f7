import DocketStore

/// One executor's view of a `SQLiteRepository`: a read connection of its own, and writes collected for each tick.
final class SQLiteSession: RepositorySession {
  private let reader: SnapshotReader
  private let connection: Connection
  private let queue: WriteQueue
  private let scans: ScanPool
  private let scanDeadlineMilliseconds: Int64
  private let deliver: @Sendable (@escaping @Sendable () -> Void) -> Void
  private let completions = PendingCompletions()
  private let destination: AnswerDestination

  private var writes: [Write] = []
  private var writesBytes = 0
  private var isInTick = false
  private var isClosed = false

  init(
    connection: Connection, clock: WallClock, queue: WriteQueue, scans: ScanPool, scanDeadlineMilliseconds: Int64,
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(SQLiteError) {
    reader = try SnapshotReader(connection, clock: clock)
    self.connection = connection
    self.queue = queue
    self.scans = scans
    self.scanDeadlineMilliseconds = scanDeadlineMilliseconds
    self.deliver = deliver
    destination = AnswerDestination { [completions] answers in
      deliver { completions.answer(answers) }
    }
  }

  deinit { close() }

  func beginTick() {
    precondition(!isInTick, "a tick begins inside a tick")
    isInTick = true
  }

  func endTick() {
    precondition(isInTick, "no tick has begun")
    isInTick = false
    reader.end()
    guard !writes.isEmpty else { return }
    let submission = WriteQueue.Submission(
      destination: destination, writes: writes, submittedMilliseconds: WallClock.uptimeMilliseconds())
    let bytes = writesBytes
    writes = []
    writesBytes = 0
    if !queue.add(submission) {
      queue.release(bytes)
      completions.refuseNewest(submission.writes.count, with: .closed)
    }
  }

  func document(at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void) {
    precondition(isInTick, "a read outside a tick")
    completion(isClosed ? .failure(.closed) : reader.document(at: path))
  }

  func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void) {
    precondition(isInTick, "a write outside a tick")
    guard !isClosed else { return completion(.failure(.closed)) }
    let bytes = write.queueBytes
    guard queue.reserve(bytes) else { return completion(.failure(.queueFull(limit: queue.limitBytes))) }
    writes.append(write)
    writesBytes += bytes
    completions.append(completion)
  }

  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<State, StoreError>) -> Void
  ) {
    let deadline = WallClock.uptimeMilliseconds() + scanDeadlineMilliseconds
    readLong(completion) { reader in
      reader.scan(collection, after: after, into: state, deadlineMilliseconds: deadline, visit: visit)
    }
  }

  func status(completion: @escaping (Result<StoreStatus, StoreError>) -> Void) {
    readLong(completion) { reader in reader.status() }
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
    _ completion: @escaping (Result<Value, StoreError>) -> Void,
    _ read: @escaping @Sendable (ScanReader) -> Result<Value, StoreError>
  ) {
    guard !isClosed else { return completion(.failure(.closed)) }
    let completion = ExecutorBound(completion)
    let refusal = scans.submit { [deliver, completions] reader in
      let result = read(reader)
      deliver {
        if !completions.isClosed { completion.value(result) }
      }
    }
    if let refusal { completion.value(.failure(refusal)) }
  }
}
