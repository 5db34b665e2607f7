import CSQLite
import DocketStore
import Glibc
import Logging

/// The one thread that writes: it takes all that waits, runs it in one transaction, commits, and hands the answers over to
/// be told when that is synced.
///
/// `@unchecked Sendable`: after `init` everything in here belongs to the thread that calls `run`.
final class Writer: @unchecked Sendable {
  private let connection: Connection
  private let queue: WriteQueue
  private let options: SQLiteStoreOptions
  private let clock: WallClock
  private let logger: Logger
  private let failureSignal: FailureSignal
  private let mark: SyncMark
  private let log: CommitLog
  private let acknowledger: Acknowledger
  private let tables: DocumentTables
  private let gate: ReaderGate
  private let files: FileWatch
  private let transaction: WriteTransaction
  private let housekeeping: Housekeeping

  private let executor: WriteExecutor
  private let transactions: TransactionExecutor
  private let settings: SettingsWriter
  private let tokens: TokenWriter
  private let meters: WriteMeters

  private var backlog = WriteBacklog()
  /// The time of changes never falls below this.
  private var floorMilliseconds: Int64
  /// What was handed over to be synced.
  private var handedOver: (commit: Int64, logCommits: UInt32) = (0, 0)
  /// Set once nothing may be written any more.
  private var failure: StoreError?
  private var rest = Rest.none
  /// How many pieces of work the latest group had carried out when it ended.
  private var carriedOut = 0
  /// How many stand before one for which the database undid a whole transaction: those are a group, and then that one is by itself.
  private var beforeUndoing: Int?

  /// What the writer does while nobody wants it to write.
  private enum Rest {
    /// It waits whether more writes come.
    case none
    /// It tidies up in steps: history, free pages, the log.
    case tidying
    /// Nothing is left to do for so long, but to look what other processes have done.
    case asleep(milliseconds: Int64)
  }

  /// How long the writer pauses before it looks again whether another process has let go of the write lock.
  private static let busyPauseMilliseconds: UInt32 = 2
  /// How often a sleeping writer looks whether another process has left something to do.
  private static let sleepMilliseconds: Int64 = 10_000
  /// A group ends with the work behind which it has lasted so long: what is done should not wait for what takes long.
  private static let groupMilliseconds: Int64 = 50
  /// So often the writer looks whether it may open a closed gate while it writes nothing.
  private static let gateMilliseconds: Int64 = 50
  /// A sleeping writer pauses at least so long, whatever expires.
  private static let sweepRetryMilliseconds: Int64 = 50

  /// - Parameters:
  ///   - gate: what long reads pass.
  ///   - mark: is told what is committed and what is synced.
  ///   - keptChanges: what the pruner is to leave.
  ///   - progress: is told how far the making of indexes is.
  ///   - meters: is told what was written.
  ///   - syncLog: syncs the log in the place of what the options say; for tests.
  init(
    connection: Connection, cache: DocumentCache, path: String, queue: WriteQueue, gate: ReaderGate,
    options: SQLiteStoreOptions, clock: WallClock, logger: Logger, failureSignal: FailureSignal, mark: SyncMark,
    keptChanges: KeptChanges, progress: BuildProgress, meters: WriteMeters, syncLog: (@Sendable () -> String?)?
  ) throws(SQLiteError) {
    self.meters = meters
    self.connection = connection
    self.queue = queue
    self.gate = gate
    self.options = options
    self.clock = clock
    self.logger = logger
    self.failureSignal = failureSignal
    self.mark = mark
    log = CommitLog(connection)
    tables = try DocumentTables(connection, log: log, cache: cache)
    transaction = try WriteTransaction(connection, mark: mark)
    let keptAnswers = try KeptAnswers(connection, transaction: transaction, options: options)
    executor = try WriteExecutor(connection, tables: tables, options: options)
    transactions = try TransactionExecutor(
      connection, executor: executor, tables: tables, answers: keptAnswers, options: options)
    settings = try SettingsWriter(connection, rules: tables.rules, progress: progress, logger: logger)
    tokens = try TokenWriter(connection, limits: options.tokens)
    housekeeping = try Housekeeping(
      connection, tables: tables, transaction: transaction, keptAnswers: keptAnswers, keptChanges: keptChanges,
      checkpointer: Checkpointer(connection, log: log, gate: gate, options: options, logger: logger), options: options,
      logger: logger)
    // Every id that an earlier run made holds a time that is in history, so ids with a later time are greater.
    floorMilliseconds = (try connection.int64("SELECT at FROM changes ORDER BY sequence DESC LIMIT 1") ?? 0) + 1
    files = FileWatch(connection, path: path)
    let ownLog = syncLog == nil ? try Self.syncedLog(path: path, options) : nil
    let sync = syncLog ?? ownLog.map { log in { @Sendable in log.sync() } }
    acknowledger = Acknowledger(
      syncLog: sync.map(meters.countingSync), mark: mark,
      release: { [queue] in queue.release($0) },
      onFailure: { [logger, failureSignal] failure in Self.tell(failure, logger, failureSignal) })
  }

  /// The log, if commits are to survive a loss of power. What an earlier process left in it unsynced can be seen from now
  /// on, so it is synced first.
  private static func syncedLog(path: String, _ options: SQLiteStoreOptions) throws(SQLiteError) -> LogFile? {
    guard options.durability == .full else { return nil }
    let log = try LogFile(path: path + "-wal")
    if let reason = log.sync() { throw SQLiteError(extendedCode: SQLITE_IOERR, message: reason) }
    return log
  }

  /// Works until the queue is closed and empty, then closes the connection. After a failure it only refuses, and leaves
  /// the files alone for a new start to recover.
  func run() {
    let acknowledging = WorkerThread(name: "docket-sync") { [acknowledger] in acknowledger.run() }
    while true {
      let taken = queue.take(timeoutMilliseconds: backlog.isEmpty ? pauseMilliseconds : 0)
      backlog.append(taken.submissions)
      if let failure = failure ?? acknowledger.failure {
        self.failure = failure
        gate.open()
        answer(backlog.take(submittedUntil: .max), with: failure)
        if taken.isClosed { break }
      } else if taken.isClosed, !backlog.isEmpty, queue.wasClosed(before: options.closingMilliseconds) {
        // Nobody is there any more who waits for it.
        answer(backlog.take(submittedUntil: .max), with: .closed)
      } else if !backlog.isEmpty {
        rest = .none
        commitGroup()
      } else if taken.isClosed {
        break
      } else {
        tidy()
      }
    }
    acknowledger.close()
    acknowledging.join()
    failure = failure ?? acknowledger.failure
    end()
  }

  private func end() {
    if failure == nil {
      keepHouse { () throws(SQLiteError) in try housekeeping.emptyLog() }
    }
    if failure == nil { connection.close() } else { connection.abandon() }
    failureSignal.finish(.closed)
  }

  /// nil waits without end: a failed writer has nothing else to do.
  private var pauseMilliseconds: Int64? {
    if failure != nil { return nil }
    let pause =
      switch rest {
      case .none: options.idleMilliseconds
      case .tidying: Int64(0)
      case .asleep(let milliseconds): milliseconds
      }
    // Readers at a closed gate do not wait for writes that may never come.
    return gate.isClosed ? min(pause, Self.gateMilliseconds) : pause
  }

  // MARK: Housekeeping

  /// Makes one step of what there is to do, so that a write that comes meanwhile does not wait for long.
  private func tidy() {
    rest = .asleep(milliseconds: Self.sleepMilliseconds)
    keepHouse { () throws(SQLiteError) in
      let wall = clock.milliseconds()
      guard try !housekeeping.step(wall: wall, floor: floorMilliseconds) else { return rest = .tidying }
      rest = .asleep(milliseconds: try pauseUntilExpiry(wall: wall))
    }
  }

  /// How long to sleep so as to be there when the next document expires.
  private func pauseUntilExpiry(wall: Int64) throws(SQLiteError) -> Int64 {
    guard let end = try housekeeping.nextExpiry() else { return Self.sleepMilliseconds }
    // Where another process holds the write lock, or the clock stands, the step was in vain: then it is tried soon.
    return min(max(end - wall, Self.sweepRetryMilliseconds), Self.sleepMilliseconds)
  }

  private func keepHouse(_ work: () throws(SQLiteError) -> Void) {
    do {
      try work()
    } catch {
      housekeeping.warn("housekeeping failed", error)
      undo([], after: error)
    }
    housekeeping.tellRefusal()
    // What it committed can be seen, too.
    if mark.visible > handedOver.commit { answer([], with: []) }
  }

  // MARK: Groups

  private func commitGroup() {
    var group: [WriteBacklog.Run] = []
    let writes: Int
    // While it waits more work comes, so that groups are of a good size.
    acknowledger.waitForRoom()
    guard acknowledger.failure == nil else { return }
    backlog.append(queue.take(timeoutMilliseconds: 0).submissions)
    do {
      guard try begin() else { return }
      let began = WallClock.uptimeNanoseconds()
      group = backlog.take(count: options.groupWrites, bytes: options.groupBytes)
      // Settings take long and may fail by themselves, so they are a group of their own, beside which reads go on.
      let isOfSettings = if case .settings? = group.first?.work.first { true } else { false }
      if isOfSettings {
        group = backlog.giveBack(group, behind: 1)
        gate.open()
      } else if let count = beforeUndoing {
        group = backlog.giveBack(group, behind: max(count, 1))
        beforeUndoing = count > 0 ? 0 : nil
      }
      guard let (answers, changes) = try carryOutOrGiveBack(group) else { return }
      group = backlog.giveBack(group, behind: answers.count)
      guard try prune(group, behind: changes) else { return }
      try transaction.commit()
      meters.didCommit(writes: answers.count, began: began)
      if !isOfSettings {
        queue.didCarryOut(
          weight: group.reduce(0) { $0 + $1.size.weight }, nanoseconds: WallClock.uptimeNanoseconds() - began)
      }
      if let problem = files.problem() { return fail(group, reason: problem) }
      writes = changes
      answer(group, with: answers)
      // What was made has gone through memory as a whole.
      if isOfSettings { connection.giveBackMemory() }
    } catch {
      return undo(group, after: error)
    }
    keepHouse { () throws(SQLiteError) in
      try housekeeping.afterGroup(writes: writes, wall: clock.milliseconds(), floor: floorMilliseconds)
    }
  }

  /// Removes old history in a group's transaction.
  /// - Returns: false where a trigger has undone the group for it, which is given back then.
  private func prune(_ group: [WriteBacklog.Run], behind writes: Int) throws(SQLiteError) -> Bool {
    try housekeeping.prune(behind: writes, wall: clock.milliseconds())
    if connection.isInTransaction { return true }
    tables.forget()
    _ = backlog.giveBack(group, behind: 0)
    return false
  }

  /// Does the work of a group. Where the database refuses one of its writes all is undone and given back, to be done again
  /// in such a way that this one shows. A trigger that says ROLLBACK undoes them all each time: what such a one refuses is found by
  /// having it stand alone.
  private func carryOutOrGiveBack(
    _ group: [WriteBacklog.Run]
  ) throws(SQLiteError) -> (answers: [WorkAnswer], changes: Int)? {
    do {
      let result = try carryOut(group)
      executor.undoesRefusals = false
      return result
    } catch {
      let isUndone = !connection.isInTransaction
      let isAlone = group.reduce(0) { $0 + $1.work.count } == 1
      guard error.isRefusal, isUndone || isAlone || !executor.undoesRefusals else { throw error }
      tables.forget()
      try transaction.undo()
      if isAlone, isUndone || executor.undoesRefusals {
        answer(group, with: .refused(reason: error.message))
        return nil
      }
      if isUndone, executor.undoesRefusals { beforeUndoing = carriedOut }
      executor.undoesRefusals = true
      _ = backlog.giveBack(group, behind: 0)
      return nil
    }
  }

  /// Begins a transaction, or returns false when there is no write left that may wait for it.
  ///
  /// While another process holds the lock, each write waits for as long as it may, counted from its submission.
  private func begin() throws(SQLiteError) -> Bool {
    let began = WallClock.uptimeMilliseconds()
    while try !transaction.begin() {
      let waited = options.busyTimeoutMilliseconds
      answer(
        backlog.take(submittedUntil: WallClock.uptimeMilliseconds() - waited), with: .busy(waitedMilliseconds: waited))
      // Reads go on meanwhile: who holds the lock may hold it for long, and the log grows by none of ours.
      if backlog.isEmpty || WallClock.uptimeMilliseconds() - began >= Self.gateMilliseconds { gate.open() }
      if queue.wasClosed(before: options.closingMilliseconds) {
        answer(backlog.take(submittedUntil: .max), with: .closed)
      }
      if backlog.isEmpty { return false }
      usleep(Self.busyPauseMilliseconds * 1_000)
      backlog.append(queue.take(timeoutMilliseconds: 0).submissions)
    }
    return true
  }

  /// Does the work of a group, or the first part of it where that takes long or reads much.
  /// - Returns: the answers to what was done, and how many changes there were.
  private func carryOut(_ group: [WriteBacklog.Run]) throws(SQLiteError) -> (answers: [WorkAnswer], changes: Int) {
    let newest = try tables.beginTransaction()
    let wall = clock.milliseconds()
    floorMilliseconds = max(wall, newest.at, floorMilliseconds)
    var numbers = WriteExecutor.Group(sequence: newest.sequence, at: floorMilliseconds, wall: wall)
    var answers: [WorkAnswer] = []
    defer { carriedOut = answers.count }
    answers.reserveCapacity(group.reduce(0) { $0 + $1.work.count })
    let end = WallClock.uptimeMilliseconds() + Self.groupMilliseconds
    var answerBytes = 0
    for work in group.lazy.flatMap(\.work) {
      if case .settings = work, !answers.isEmpty { break }
      switch work {
      case .write(let write): answers.append(WorkAnswer(try executor.run(write, in: &numbers)))
      case .transaction(let transaction):
        let (answer, bytes) = try transactions.run(transaction, in: &numbers)
        answers.append(answer)
        answerBytes += bytes
      case .token(let change):
        switch try tokens.carryOut(change, wall: wall) {
        case .success(let token): answers.append(.token(token))
        case .failure(let error): answers.append(.failure(error))
        }
      case .settings(let collection, let wanted):
        try tables.writePending()
        switch try settings.change(collection, to: wanted, wall: wall) {
        case .success(let change): answers.append(.settings(change))
        case .failure(let error): answers.append(.failure(error))
        }
      }
      if answerBytes >= options.groupBytes || WallClock.uptimeMilliseconds() >= end { break }
    }
    try tables.writePending()
    return (answers, Int(numbers.sequence - newest.sequence))
  }

  /// Ends a group that could not be kept: when that is certain, its writes may be tried again.
  private func undo(_ group: [WriteBacklog.Run], after error: SQLiteError) {
    tables.forget()
    gate.open()
    guard error.isHarmless else { return fail(group, reason: error.description) }
    do {
      try transaction.undo()
    } catch {
      return fail(group, reason: error.description)
    }
    let refusal: StoreError =
      error.isInterruption ? .closed : error.code == SQLITE_FULL ? .full : .failed(reason: error.description)
    answer(group, with: refusal)
  }

  /// Ends all writing: what was asked for in `group` may or may not be there after the next start.
  private func fail(_ group: [WriteBacklog.Run], reason: String) {
    let failure = StoreError.outcomeUnknown(reason: reason)
    self.failure = failure
    mark.didFail(failure)
    Self.tell(failure, logger, failureSignal)
    answer(group, with: failure)
  }

  private static func tell(_ failure: StoreError, _ logger: Logger, _ signal: FailureSignal) {
    if case .outcomeUnknown(let reason) = failure {
      logger.critical("no further writes are taken; restart to recover", metadata: ["reason": "\(reason)"])
    }
    signal.finish(failure)
  }

  // MARK: Answers

  /// Has work answered once what was committed until now is synced.
  private func answer(_ runs: [WriteBacklog.Run], with answers: [WorkAnswer]) {
    let job = Acknowledger.Job(
      runs: runs, answers: answers, commit: mark.visible, needsSync: log.commits != handedOver.logCommits)
    handedOver = (job.commit, log.commits)
    // A single client that waits for its answer sends nothing meanwhile.
    acknowledger.submit(job, isAlone: answers.count <= 1 && backlog.isEmpty && queue.isEmpty)
  }

  private func answer(_ runs: [WriteBacklog.Run], with error: StoreError) {
    let count = runs.reduce(0) { $0 + $1.work.count }
    answer(runs, with: Array(repeating: .failure(error), count: count))
  }
}
