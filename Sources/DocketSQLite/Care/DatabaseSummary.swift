/// What tells one state of a database from another.
struct DatabaseSummary: Equatable {
  /// A change as it can be known again in another file.
  struct Change: Equatable {
    let sequence: Int64
    let path: String
    let kind: String
    let at: Int64
  }

  let history: String?
  let newest: Change?
  let changes: Int64
  let documents: Int64

  var isEmpty: Bool { newest == nil && documents == 0 }

  init(of connection: Connection) throws(SQLiteError) {
    history = try connection.string("SELECT value FROM properties WHERE name = 'history_id'")
    changes = try connection.int64("SELECT count(*) FROM changes") ?? 0
    documents = try connection.int64("SELECT count(*) FROM document_rows") ?? 0
    newest = try connection.int64("SELECT max(sequence) FROM changes")
      .flatMap { sequence throws(SQLiteError) in try Self.change(sequence, connection) }
  }

  static func change(_ sequence: Int64, _ connection: Connection) throws(SQLiteError) -> Change? {
    let row = try connection.prepare(
      "SELECT collection || id, kind, at FROM changes WHERE sequence = ?1", persistent: false)
    row.bind(sequence, at: 1)
    guard try row.step() else { return nil }
    return Change(sequence: sequence, path: row.string(0), kind: row.string(1), at: row.int64(2))
  }

  /// How many changes it holds that a backup lacks.
  enum Lead: Equatable {
    case none
    case changes(Int64)
    case otherHistory(changes: Int64)
  }

  /// - Parameter connection: the backup's.
  func lead(over backup: Self, _ connection: Connection) throws(SQLiteError) -> Lead {
    guard !isEmpty, let newest else { return isEmpty ? .none : .otherHistory(changes: changes) }
    guard history == backup.history else { return .otherHistory(changes: changes) }
    guard let backupNewest = backup.newest else { return .changes(changes) }
    if newest.sequence > backupNewest.sequence { return .changes(newest.sequence &- backupNewest.sequence) }
    // A copy of the file that went on by itself has the same name, and other changes.
    if let same = try Self.change(newest.sequence, connection), same != newest {
      return .otherHistory(changes: changes)
    }
    return .none
  }
}
