import Migrations

/// The tables, views, indexes and triggers of a database, with the SQL that made each.
struct Schema: Equatable {
  struct Name: Hashable {
    let type: String
    let name: String

    /// As bytes: two Unicode normal forms are two names.
    static func == (a: Self, b: Self) -> Bool {
      a.type.utf8.elementsEqual(b.type.utf8) && a.name.utf8.elementsEqual(b.name.utf8)
    }

    func hash(into hasher: inout Hasher) {
      for byte in name.utf8 { hasher.combine(byte) }
    }

    var description: String { "\(type) \(name)" }
  }

  let objects: [Name: String]

  /// Reads a schema, without what SQLite adds by itself under names of its own, and without the line feed that
  /// `.dump` may put at the end of a statement.
  init(of connection: Connection) throws(SQLiteError) {
    let statement = try connection.prepare(
      "SELECT type, name, rtrim(sql, char(10) || ' ') FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*'",
      persistent: false)
    var objects: [Name: String] = [:]
    while try statement.step() {
      objects[Name(type: statement.string(0), name: statement.string(1))] = statement.string(2)
    }
    self.objects = objects
  }

  /// The schema that these migrations make.
  init(after migrations: [Migration]) throws(SQLiteError) {
    let connection = try Connection(path: ":memory:", access: .create)
    for migration in migrations { try connection.execute(migration.sql) }
    try self.init(of: connection)
  }

  /// What this schema lacks or has in another form than `expected`, each in words, in order.
  func differences(from expected: Schema) -> [String] {
    expected.objects.compactMap { name, sql in
      guard let actual = objects[name] else { return "\(name.type) \(name.name) is missing" }
      // Compared as bytes: `==` holds different texts equal that only look the same.
      return actual.utf8.elementsEqual(sql.utf8) ? nil : "\(name.type) \(name.name) is altered"
    }.sorted()
  }

  var names: Set<Name> { Set(objects.keys) }

  /// What this schema has beyond these, in order.
  func additions(to expected: Set<Name>) -> [String] {
    objects.keys.filter { !expected.contains($0) }.map(\.description).sorted()
  }

  /// The triggers that it has beyond these, with what made each, in order.
  func triggers(beside expected: Set<Name>) -> [(name: String, sql: String)] {
    objects.filter { $0.key.type == "trigger" && !expected.contains($0.key) }
      .map { ($0.key.name, $0.value) }.sorted { $0.name < $1.name }
  }

  /// Whether what settings need is there, as this program makes it.
  func holds(_ object: SettingsObject) -> Bool {
    objects[object.schemaName]?.utf8.elementsEqual(object.create.utf8) == true
  }

  /// The newest version whose migrations make all that is here; nil where there is none, since something is missing or altered.
  func version(among migrations: [Migration]) throws(SQLiteError) -> Int? {
    for version in (0..<migrations.count).map({ migrations.count - $0 })
    where try differences(from: Schema(after: Array(migrations.prefix(version)))).isEmpty {
      return version
    }
    return nil
  }

  /// Whether these are Docket's tables, by their names.
  var looksLikeDocket: Bool {
    ["document_rows", "changes", "migrations"].allSatisfy { objects[Name(type: "table", name: $0)] != nil }
  }
}
