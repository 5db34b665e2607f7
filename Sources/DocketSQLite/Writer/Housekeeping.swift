import DocketStore
import Logging

/// What the writer does besides writes: it ends documents that have expired, removes old history and kept answers, gives free
/// pages back, and writes the log back. In steps, so that no write waits for long.
final class Housekeeping {
  private let tables: DocumentTables
  private let transaction: WriteTransaction
  private let pruner: HistoryPruner
  private let sweeper: ExpirySweeper
  private let keptAnswers: KeptAnswers
  private let checkpointer: Checkpointer
  private let logger: Logger
  private var warnings = WarningInterval()

  /// - Parameters:
  ///   - transaction: each step is one of its own, but for what is removed behind the writes of a group.
  ///   - keptChanges: what of the history is to stay.
  ///   - checkpointer: writes the log back.
  init(
    _ connection: Connection, tables: DocumentTables, transaction: WriteTransaction, keptAnswers: KeptAnswers,
    keptChanges: KeptChanges, checkpointer: Checkpointer, options: SQLiteStoreOptions, logger: Logger
  ) throws(SQLiteError) {
    self.tables = tables
    self.transaction = transaction
    self.keptAnswers = keptAnswers
    self.checkpointer = checkpointer
    self.logger = logger
    pruner = try HistoryPruner(
      connection, tables: tables, transaction: transaction, kept: keptChanges, options: options)
    sweeper = try ExpirySweeper(connection, transaction: transaction, tables: tables, options: options)
  }

  // MARK: While nobody writes

  /// Makes one step of what there is to do. Returns whether there may be more; the log is empty otherwise, if readers let it.
  /// - Parameters:
  ///   - wall: the time by which documents expire and history ages.
  ///   - floor: changes are dated no earlier than this.
  func step(wall: Int64, floor: Int64) throws(SQLiteError) -> Bool {
    if try sweeper.step(wall: wall, floor: floor) { return true }
    let hasPruned = try unlessRefused("history could not be pruned") { () throws(SQLiteError) in
      try pruner.step(wall: wall)
    }
    if hasPruned { return true }
    if try dropAnswers({ () throws(SQLiteError) in try keptAnswers.step(wall: wall) }) { return true }
    if try pruner.giveBackPages() { return true }
    try emptyLog()
    return false
  }

  func emptyLog() throws(SQLiteError) { _ = try checkpointer.empty() }

  /// When the next document expires, by the wall clock in milliseconds; nil if none will.
  func nextExpiry() throws(SQLiteError) -> Int64? { try sweeper.nextExpiry() }

  // MARK: Beside groups

  /// Removes old history in a group's transaction, which may be undone by that.
  /// - Parameter writes: how many changes the group has made.
  func prune(behind writes: Int, wall: Int64) throws(SQLiteError) {
    let refusal = try pruner.inGroup(writes: writes, bytes: tables.takeHistoryBytes(), wall: wall)
    if let refusal { warn("history could not be pruned", refusal) }
  }

  /// To be called after each group: makes as many steps as keep up with what is written.
  func afterGroup(writes: Int, wall: Int64, floor: Int64) throws(SQLiteError) {
    try checkpointer.afterGroup()
    try sweeper.afterGroup(writes: writes, wall: wall, floor: floor)
    _ = try dropAnswers { () throws(SQLiteError) in
      try keptAnswers.afterGroup(wall: wall)
      return false
    }
  }

  private func dropAnswers(_ step: () throws(SQLiteError) -> Bool) throws(SQLiteError) -> Bool {
    try unlessRefused("what is kept under idempotency keys could not be dropped", step)
  }

  /// Makes a step of one kind. Where a trigger of an operator's refuses it the others are made all the same.
  private func unlessRefused(
    _ warning: Logger.Message, _ step: () throws(SQLiteError) -> Bool
  ) throws(SQLiteError) -> Bool {
    do {
      return try step()
    } catch {
      guard error.isRefusal else { throw error }
      tables.forget()
      try transaction.undo()
      warn(warning, error)
      return false
    }
  }

  // MARK: Warnings

  /// Tells why documents that have expired stay, if any do.
  func tellRefusal() {
    if let refusal = sweeper.takeRefusal() { warn("documents that have expired could not be cleared away", refusal) }
  }

  func warn(_ what: Logger.Message, _ error: SQLiteError) {
    if warnings.permit() { logger.warning(what, metadata: ["error": "\(error)"]) }
  }
}
