import Migrations

/// Makes of a copy of a database what this program serves: gives back what `.dump` and `.recover` leave out, or who edited what
/// they printed, and runs the migrations that came later.
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
    let plan = try plan()
    if plan.lacksMarks {
      try connection.execute(
        "PRAGMA application_id = \(MigrationCatalog.applicationID); PRAGMA user_version = \(plan.version)")
    }
    for object in plan.missing { try connection.execute(object.sql) }
    if plan.lacksUpkeep {
      // It takes effect as the file is written anew (https://sqlite.org/pragma.html#pragma_auto_vacuum).
      try connection.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    }
    outcome.mended = plan.words
    if plan.version < migrations.count { outcome.olderVersion = plan.version }
    _ = try Migrator(connection: connection, path: path, migrations: migrations).migrate()
    return outcome
  }

  /// What a copy needs.
  struct Plan {
    var version: Int
    var lacksMarks = false
    var lacksUpkeep = false
    /// Indexes, views and triggers, in an order in which they can be made.
    var missing: [(name: Schema.Name, sql: String)] = []

    /// Each part in words.
    var words: [String] {
      var words: [String] = []
      if lacksMarks {
        words.append("the two numbers that mark it as Docket's, of schema \(version) (.dump leaves them out)")
      }
      words += missing.map(\.name.description)
      if lacksUpkeep { words.append("auto_vacuum, by which free pages are given back") }
      return words
    }
  }

  /// Looks, and changes nothing.
  /// - Throws: `OpeningError`, where a copy could not be mended.
  func plan() throws -> Plan {
    let application = try connection.int64("PRAGMA application_id") ?? 0
    let marked = Int(try connection.int64("PRAGMA user_version") ?? 0)
    let schema = try Schema(of: connection)
    guard schema.looksLikeDocket else { throw OpeningError.notDocket(path: path) }
    let isMarked = application == Int64(MigrationCatalog.applicationID) && marked > 0
    var plan = Plan(version: isMarked ? marked : try version(of: schema), lacksMarks: !isMarked)
    guard plan.version <= migrations.count else {
      throw OpeningError.newer(path: path, version: plan.version, supported: migrations.count)
    }
    let expected = try Schema(after: Array(migrations.prefix(plan.version)))
    let missing = expected.objects.filter { schema.objects[$0.key] == nil }
    // Rows that are gone, or that stand in columns of another form, nobody can make.
    let hopeless = schema.differences(from: expected).filter { difference in
      !missing.contains { name, _ in name.type != "table" && difference == "\(name.description) is missing" }
    }
    guard hopeless.isEmpty else { throw OpeningError.schemaAltered(path: path, objects: hopeless) }
    let order = ["index", "view", "trigger"]
    plan.missing = missing.sorted { a, b in
      (order.firstIndex(of: a.key.type) ?? 0, a.key.name) < (order.firstIndex(of: b.key.type) ?? 0, b.key.name)
    }.map { ($0.key, $0.value) }
    plan.lacksUpkeep = try connection.int64("PRAGMA auto_vacuum") != 2
    return plan
  }

  /// Which migrations have made a schema, whether or not there is a record of them.
  private func version(of schema: Schema) throws -> Int {
    if let version = try schema.version(among: migrations) { return version }
    return Int(max(try connection.int64("SELECT max(version) FROM migrations") ?? 1, 1))
  }
}
