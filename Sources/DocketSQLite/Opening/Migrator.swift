import Migrations

/// Brings a database to the newest version that a catalog knows, and says what it found.
///
/// Each script runs in one transaction together with the record that it ran, so whenever this is interrupted, a new
/// start goes on where it stopped. A script that was run by hand left no record; that is made up for here.
struct Migrator {
  struct Outcome: Equatable {
    /// The versions whose scripts were run, and those that had been run by hand.
    var applied: [Int] = []
    var recorded: [Int] = []
    /// Tables, views, indexes and triggers that are not Docket's, such as `trigger audit`.
    var foreignObjects: [String] = []
    /// What the settings of collections need and what could not be made, each with the reason.
    var missingObjects: [String] = []
  }

  let connection: Connection
  let path: String
  let migrations: [Migration]

  func migrate() throws -> Outcome {
    var outcome = Outcome()
    let version = try identify()
    if version == 0 {
      try prepareEmptyFile()
    } else {
      outcome.recorded = try verify(version: version)
    }
    for migration in migrations.dropFirst(version) {
      try apply(migration)
      outcome.applied.append(migration.version)
    }
    let schema = try Schema(of: connection)
    let expected = try Schema(after: migrations)
    let ofSettings = try makeMissing(schema, &outcome)
    outcome.foreignObjects = schema.additions(to: expected.names.union(ofSettings))
    try rebuildForThisSQLite()
    return outcome
  }

  /// Makes what the settings of collections need and what is not there, or is not as this program makes it.
  /// - Returns: the names of all of it.
  private func makeMissing(_ schema: Schema, _ outcome: inout Outcome) throws -> Set<Schema.Name> {
    var names: Set<Schema.Name> = []
    for object in try settingsObjects() {
      names.formUnion(object.schemaNames)
      if object.whole.allSatisfy({ schema.holds($0) }), try connection.isSound(object) { continue }
      do throws(SQLiteError) {
        try inTransaction { () throws(SQLiteError) in try connection.make(object) }
      } catch {
        // Queries do without it. A row that is no JSON, or a full disk, is no reason not to serve.
        outcome.missingObjects.append("\(object.name): \(error.message)")
      }
    }
    return names
  }

  /// What the settings of collections need in the schema.
  func settingsObjects() throws(SQLiteError) -> [SettingsObject] {
    guard migrations.count >= 5 else { return [] }
    return try IndexCatalog(connection).all().flatMap(\.objects)
  }

  /// The version of the file, 0 for an empty one; an error if it is not Docket's, or newer than the catalog.
  private func identify() throws -> Int {
    let application = try connection.int64("PRAGMA application_id") ?? 0
    let version = Int(try connection.int64("PRAGMA user_version") ?? 0)
    let schema = try Schema(of: connection)
    if application == 0 || version == 0, schema.looksLikeDocket {
      let recorded = try connection.int64("SELECT max(version) FROM migrations") ?? 1
      throw OpeningError.marksMissing(
        path: path, version: try schema.version(among: migrations) ?? Int(recorded))
    }
    if application == 0, version == 0, schema.objects.isEmpty { return 0 }
    guard application == MigrationCatalog.applicationID, version > 0 else {
      throw OpeningError.notDocket(path: path)
    }
    guard version <= migrations.count else {
      throw OpeningError.newer(path: path, version: version, supported: migrations.count)
    }
    return version
  }

  /// A file can have a header and no table; then the first script's `auto_vacuum` needs a VACUUM to take effect
  /// (https://sqlite.org/pragma.html#pragma_auto_vacuum).
  private func prepareEmptyFile() throws(SQLiteError) {
    guard try connection.int64("PRAGMA page_count") ?? 0 > 0 else { return }
    try connection.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
  }

  /// Checks what the file says it has run against the catalog and against the schema, and makes up for the records
  /// of what was run by hand. Returns the versions of these.
  private func verify(version: Int) throws -> [Int] {
    let differences = try Schema(of: connection).differences(from: Schema(after: Array(migrations.prefix(version))))
    guard differences.isEmpty else { throw OpeningError.schemaAltered(path: path, objects: differences) }

    let recorded = try recordedChecksums()
    if let newest = recorded.keys.max(), newest > version {
      throw OpeningError.versionLowered(path: path, version: version, recorded: newest)
    }
    for migration in migrations.prefix(version) {
      if let checksum = recorded[migration.version], checksum != migration.checksum {
        throw OpeningError.migrationAltered(path: path, version: migration.version, name: migration.name)
      }
    }
    let missing = migrations.prefix(version).filter { recorded[$0.version] == nil }
    if !missing.isEmpty {
      try inTransaction { () throws(SQLiteError) in
        for migration in missing { try record(migration) }
      }
    }
    return missing.map(\.version)
  }

  private func apply(_ migration: Migration) throws(SQLiteError) {
    do throws(SQLiteError) {
      try connection.execute(migration.sqlBeforeCommit)
      try record(migration)
      try connection.execute("COMMIT")
    } catch {
      rollBack()
      throw error
    }
  }

  private func recordedChecksums() throws(SQLiteError) -> [Int: String] {
    let statement = try connection.prepare("SELECT version, checksum FROM migrations", persistent: false)
    var checksums: [Int: String] = [:]
    while try statement.step() { checksums[Int(statement.int64(0))] = statement.string(1) }
    return checksums
  }

  private func record(_ migration: Migration) throws(SQLiteError) {
    let statement = try connection.prepare(
      "INSERT INTO migrations SELECT ?1, ?2, ?3, wall FROM clock", persistent: false)
    statement.bind(Int64(migration.version), at: 1)
    statement.bind(migration.name, at: 2)
    statement.bind(migration.checksum, at: 3)
    try statement.run()
  }

  /// The keys of `item_values` and of the indexes of collections are made by functions of SQLite, whose results have changed
  /// between its versions in rare cases (digits of numbers, `\u0000` in strings). Indexes of another version are made anew, and
  /// so are those of words, which FTS5 may cut in another way.
  private func rebuildForThisSQLite() throws(SQLiteError) {
    let made = try connection.string("SELECT value FROM properties WHERE name = 'sqlite_version'")
    guard made != SQLiteVersion.current else { return }
    try inTransaction { () throws(SQLiteError) in
      try connection.execute("REINDEX document_rows")
      for object in try settingsObjects() where object.kind == .table {
        // One that could not be made was told of already.
        if try IndexCatalog(connection).exists(object) { try connection.make(object) }
      }
      let statement = try connection.prepare(
        "INSERT OR REPLACE INTO properties VALUES ('sqlite_version', ?1)", persistent: false)
      statement.bind(SQLiteVersion.current, at: 1)
      try statement.run()
    }
  }

  private func inTransaction(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
    try connection.execute("BEGIN IMMEDIATE")
    do throws(SQLiteError) {
      try body()
      try connection.execute("COMMIT")
    } catch {
      rollBack()
      throw error
    }
  }

  private func rollBack() {
    // Some errors have already rolled back; what went wrong is told by the error that led here.
    if connection.isInTransaction { try? connection.execute("ROLLBACK") }
  }
}

extension MigrationCatalog {
  /// Refuses a file of Docket's whose version is not known here.
  static func refuseNewer(_ connection: Connection, path: String) throws {
    let version = Int(try connection.int64("PRAGMA user_version") ?? 0)
    guard version <= currentVersion else {
      throw OpeningError.newer(path: path, version: version, supported: currentVersion)
    }
  }
}
