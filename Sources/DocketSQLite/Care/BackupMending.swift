import Migrations

/// Makes of a copy of a database what this program serves: gives back what `.dump` leaves out, and runs the migrations that
/// came later.
struct BackupMending {
  struct Outcome: Sendable, Equatable {
    /// In words: what was given back.
    var mended: [String] = []
    /// The version of its schema, where that was an older one.
    var olderVersion: Int?
  }

  let connection: Connection
  /// As messages name it.
  let path: String
  let migrations: [Migration]

  func run() throws -> Outcome {
    var outcome = Outcome()
    let application = try connection.int64("PRAGMA application_id") ?? 0
    let marked = try connection.int64("PRAGMA user_version") ?? 0
    let schema = try Schema(of: connection)
    guard schema.looksLikeDocket else { throw OpeningError.notDocket(path: path) }
    if application != Int64(MigrationCatalog.applicationID) || marked == 0 {
      let version = try version(of: schema)
      try connection.execute(
        "PRAGMA application_id = \(MigrationCatalog.applicationID); PRAGMA user_version = \(version)")
      outcome.mended.append("the two numbers that mark it as Docket's, of schema \(version)")
    }
    if try connection.int64("PRAGMA auto_vacuum") != 2 {
      // It takes effect as the file is written anew (https://sqlite.org/pragma.html#pragma_auto_vacuum).
      try connection.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
      outcome.mended.append("auto_vacuum, by which free pages are given back")
    }
    let version = Int(try connection.int64("PRAGMA user_version") ?? 0)
    if version < migrations.count { outcome.olderVersion = version }
    _ = try Migrator(connection: connection, path: path, migrations: migrations).migrate()
    return outcome
  }

  /// Which migrations have made a schema, whether or not there is a record of them.
  private func version(of schema: Schema) throws -> Int {
    for version in (1...migrations.count).reversed()
    where try schema.differences(from: Schema(after: Array(migrations.prefix(version)))).isEmpty {
      return version
    }
    let recorded = Int(try connection.int64("SELECT max(version) FROM migrations") ?? 1)
    guard recorded <= migrations.count else {
      throw OpeningError.newer(path: path, version: recorded, supported: migrations.count)
    }
    throw OpeningError.schemaAltered(
      path: path, objects: schema.differences(from: try Schema(after: Array(migrations.prefix(max(recorded, 1))))))
  }
}
