import DocketStore

/// Reads changes on a thread of `FeedThreads`, and waits there for more.
///
/// Whether there are more is told by the header of the log's index, which every commit changes, by whichever process: as long as
/// it is as it was before the last reading began there is nothing new. It is looked at when the writer's commits are synced,
/// and now and then for those of others.
///
/// `@unchecked Sendable`: it belongs to the one thread of `FeedThreads` that it was made for; others reach it through its signal.
final class FeedReader: ChangeReader, @unchecked Sendable {
  private let reader: ScanReader
  private let signal: FeedSignal
  private let mark: SyncMark
  private let gate: ReaderGate
  private let isUrgent: Bool
  private let queryMilliseconds: Int64
  private let lookMilliseconds: Int64
  private let logHeader: LogHeader.Place?
  /// As it was before the last reading; nil where there was none, or a commit came just then.
  private var knownHeader: LogHeader?
  /// The tokens, as they were when the header was so.
  private var knownTokens: (header: LogHeader?, roll: TokenRoll)?

  /// - Parameters:
  ///   - connection: the reader's, which has read the schema for its statements, so that its log is there.
  ///   - gate: what each reading of documents passes: a page may take long to look through, and the next one follows at once.
  ///   - isUrgent: whether it waits there for no others.
  ///   - queryMilliseconds: how long a query may take.
  ///   - lookMilliseconds: how often it looks for commits of other processes.
  init(
    _ reader: ScanReader, _ connection: Connection, signal: FeedSignal, mark: SyncMark, gate: ReaderGate,
    isUrgent: Bool, queryMilliseconds: Int64, lookMilliseconds: Int64
  ) {
    self.reader = reader
    logHeader = LogHeader.Place(connection)
    self.signal = signal
    self.mark = mark
    self.gate = gate
    self.isUrgent = isUrgent
    self.queryMilliseconds = queryMilliseconds
    self.lookMilliseconds = lookMilliseconds
  }

  func close() { reader.close() }

  // MARK: Waiting

  func wait(forChanges: Bool, milliseconds: Int64?) -> Bool {
    let end = milliseconds.map { WallClock.uptimeMilliseconds() + max($0, 0) }
    while true {
      if forChanges {
        // Before the header: a commit that it does not show is not among those that are synced.
        let synced = mark.newestSynced
        if hasNews { break }
        arm(behind: synced)
      }
      let left = end.map { max($0 - WallClock.uptimeMilliseconds(), 0) }
      let isDue = signal.state.wait(
        until: { $0.isWoken || $0.isEnded || (forChanges && $0.isSynced) },
        timeoutMilliseconds: forChanges ? min(left ?? .max, lookMilliseconds) : left
      ) { state in
        state.isSynced = false
        return state.isWoken || state.isEnded
      }
      if isDue || end.map({ WallClock.uptimeMilliseconds() >= $0 }) ?? false { break }
    }
    return signal.state.withLock { state in
      state.isWoken = false
      return !state.isEnded
    }
  }

  /// Whether something may have been committed since the last reading began.
  private var hasNews: Bool {
    guard let knownHeader else { return true }
    return logHeader?.read() != knownHeader
  }

  /// Has the signal given with the first sync behind a commit. It is given once, so that a writer whose commits nobody waits for
  /// has nothing to do.
  private func arm(behind synced: Int64) {
    let isNew = signal.state.withLock { state in
      defer { state.isArmed = true }
      return !state.isArmed
    }
    guard isNew else { return }
    if mark.whenSynced(synced + 1, { [signal] _ in signal.didSync() }) { signal.didSync() }
  }

  // MARK: Reading

  func changes(
    _ range: ChangeRange, of interest: ChangeInterest, visit: (Change) -> ScanStep
  ) -> Result<ChangeProgress, StoreError> {
    let header = logHeader?.read()
    return durable(behind: gate) { () throws(SQLiteError) in
      let kept = try reader.past.takeSnapshot()
      // What is behind such a bound may be of interest to a later reading.
      if range.through.map({ $0.rawValue >= kept.newest }) ?? true { knownHeader = header }
      let commit = mark.visible
      return try reader.changeLog.visit(
        range, kept: kept, of: interest, isLate: { reader.isLimitReached }, visit: visit
      ).map { ($0, commit) }
    }
  }

  func newest() -> Result<(sequence: Revision, history: String), StoreError> {
    durable { () throws(SQLiteError) in
      let newest = try reader.past.takeSnapshot().newest
      let commit = mark.visible
      return .success(((Revision(newest), try reader.historyName()), commit))
    }
  }

  func tokens() -> Result<TokenRoll, StoreError> {
    let header = logHeader?.read()
    if let known = knownTokens {
      if known.header != nil, known.header == header { return .success(known.roll) }
      // Something was committed, most often documents.
      let changes = reader.limited(.max) { () throws(SQLiteError) in .success(try reader.tokens.changes()) }
      if case .success(let changes?) = changes, changes == known.roll.changes {
        knownTokens = (header, known.roll)
        return .success(known.roll)
      }
    }
    let result = durable { () throws(SQLiteError) in .success((try reader.tokens.roll(), mark.visible)) }
    if case .success(let roll) = result { knownTokens = (header, roll) }
    return result
  }

  func query(_ query: Query, visit: (DocumentView) -> ScanStep) -> Result<QueryReport, StoreError> {
    durable(behind: gate, milliseconds: queryMilliseconds) { () throws(SQLiteError) in
      try reader.queries.run(query, isLate: { reader.isLimitReached }, visit: visit).map { ($0, mark.visible) }
    }
  }

  func document(at path: DocumentPath, asOf moment: PastMoment) -> Result<Document?, StoreError> {
    durable(behind: gate, milliseconds: queryMilliseconds) { () throws(SQLiteError) in
      try reader.past.document(at: path, asOf: moment, isLate: { reader.isLimitReached }).map { ($0, mark.visible) }
    }
  }

  /// Reads, and returns what was found once that is durable.
  /// - Parameters:
  ///   - gate: what it passes; nil: what is short passes none.
  ///   - milliseconds: how long it may take.
  ///   - read: returns also the newest commit that may be seen in its snapshot.
  private func durable<Value>(
    behind gate: ReaderGate? = nil, milliseconds: Int64? = nil,
    _ read: () throws(SQLiteError) -> Result<(Value, commit: Int64), StoreError>
  ) -> Result<Value, StoreError> {
    if isUrgent { gate?.enterUrgently() } else { gate?.enter() }
    let deadline = milliseconds.map { WallClock.uptimeMilliseconds() + $0 } ?? .max
    let result = reader.limited(deadline, read)
    gate?.leave()
    return result.flatMap { value, commit in
      mark.waitUntilSynced(commit).map { .failure($0) } ?? .success(value)
    }
  }
}
