import DocketStore

@testable import DocketSQLite

/// The tables of a database as a test reads them, and as a server writes them.
final class DoorTables {
  struct Row: Equatable {
    let revision: Int64
    let created: Int64
    let updated: Int64
    let expires: Int64?
    let data: String
  }

  struct Change: Equatable {
    let sequence: Int64
    let previous: Int64?
    let path: DocumentPath
    let kind: String
    let at: Int64
    let before: Row?
  }

  let connection: Connection

  init(_ path: String) throws {
    connection = try Connection(path: path, access: .write)
    // What survives a loss of power is not what these tests are about.
    try connection.execute("PRAGMA synchronous = OFF")
  }

  func rows() throws -> [DocumentPath: Row] {
    let statement = try connection.prepare(
      "SELECT collection, id, revision, created_at, updated_at, expires_at, data FROM document_rows")
    var rows: [DocumentPath: Row] = [:]
    while try statement.step() {
      rows[path(statement, 0)] = Row(
        revision: statement.int64(2), created: statement.int64(3), updated: statement.int64(4),
        expires: statement.optionalInt64(5), data: statement.string(6))
    }
    return rows
  }

  func tombstones() throws -> [DocumentPath: Int64] {
    let statement = try connection.prepare("SELECT collection, id, sequence FROM tombstones")
    var tombstones: [DocumentPath: Int64] = [:]
    while try statement.step() { tombstones[path(statement, 0)] = statement.int64(2) }
    return tombstones
  }

  /// The changes after a sequence, in order. The revision of what was before is that of the change before it.
  func changes(after sequence: Int64) throws -> [Change] {
    let statement = try connection.prepare(
      """
      SELECT collection, id, sequence, previous, kind, at, before, before_created_at, before_updated_at,
        before_expires_at
      FROM changes WHERE sequence > \(sequence) ORDER BY sequence
      """)
    var changes: [Change] = []
    while try statement.step() {
      let previous = statement.optionalInt64(3)
      let before =
        statement.isNull(6)
        ? nil
        : Row(
          revision: previous ?? 0, created: statement.int64(7), updated: statement.int64(8),
          expires: statement.optionalInt64(9), data: statement.string(6))
      changes.append(
        Change(
          sequence: statement.int64(2), previous: previous, path: path(statement, 0), kind: statement.string(4),
          at: statement.int64(5), before: before))
    }
    return changes
  }

  /// Writes as a server does: plain statements on the tables, in one transaction.
  func write(_ changes: [DoorModel.Change], in model: DoorModel) throws {
    func quote(_ text: String?) -> String { DoorStatement.quote(text) }
    func number(_ value: Int64?) -> String { value.map(String.init) ?? "NULL" }
    try connection.execute("BEGIN IMMEDIATE")
    for change in changes {
      let path = "\(quote(change.effect.path.collection.description)), \(quote(change.effect.path.id))"
      let before = change.before
      try connection.execute(
        """
        INSERT INTO changes(sequence, previous, collection, id, kind, at, batch, before, before_created_at,
          before_updated_at, before_expires_at)
        VALUES (\(change.sequence), \(number(change.previous)), \(path), '\(change.effect.kind.rawValue)', \(change.at),
          \(number(changes.count > 1 ? changes[0].sequence : nil)), \(quote(before?.data)),
          \(number(before.map { model.time(of: $0.creation) })), \(number(before.map { model.time(of: $0.revision) })),
          \(number(before?.expires)));
        DELETE FROM tombstones WHERE (collection, id) = (\(path));
        """)
      if let after = change.after {
        try connection.execute(
          """
          INSERT INTO document_rows(collection, id, revision, created_at, updated_at, expires_at, data)
          VALUES (\(path), \(after.revision), \(model.time(of: after.creation)), \(change.at), \(number(after.expires)),
            \(quote(after.data)))
          ON CONFLICT (collection, id) DO UPDATE SET revision = excluded.revision, updated_at = excluded.updated_at,
            expires_at = excluded.expires_at, data = excluded.data
          """)
      } else {
        try connection.execute(
          """
          DELETE FROM document_rows WHERE (collection, id) = (\(path));
          INSERT INTO tombstones VALUES (\(path), \(change.sequence))
          """)
      }
    }
    try connection.execute("COMMIT")
  }

  /// Removes the oldest changes, as retention does.
  func prune(upTo newest: Int64) throws {
    try connection.execute(
      """
      BEGIN IMMEDIATE;
      DELETE FROM changes WHERE sequence <= \(newest);
      DELETE FROM tombstones WHERE sequence <= \(newest);
      COMMIT
      """)
  }

  private func path(_ statement: Statement, _ column: Int32) -> DocumentPath {
    DocumentPath(collection: CollectionPath(unchecked: statement.string(column)), id: statement.string(column + 1))
  }
}
