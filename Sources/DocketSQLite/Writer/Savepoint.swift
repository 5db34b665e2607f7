/// A place within the writer's transaction to which it can go back (https://sqlite.org/lang_savepoint.html).
struct Savepoint {
  private let connection: Connection
  private let savepoint: Statement
  private let rollback: Statement
  private let releaseStatement: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    self.connection = connection
    savepoint = try connection.prepare("SAVEPOINT here")
    rollback = try connection.prepare("ROLLBACK TO here")
    releaseStatement = try connection.prepare("RELEASE here")
  }

  func set() throws(SQLiteError) {
    try savepoint.run()
  }

  /// Keeps what was done since `set`.
  func release() throws(SQLiteError) {
    try releaseStatement.run()
  }

  /// Whether it is possible to go back behind an error, and to go on: where the database has refused something, unless by a trigger
  /// that has undone the whole transaction.
  func isLeft(behind error: SQLiteError) -> Bool { error.isRefusal && connection.isInTransaction }

  /// Undoes all since `set`. No statement may stand on a row.
  func goBack() throws(SQLiteError) {
    try rollback.run()
    try releaseStatement.run()
  }
}
