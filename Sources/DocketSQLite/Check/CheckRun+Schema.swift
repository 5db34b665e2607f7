import CSQLite
import DocketJSON
import DocketStore
import Migrations

extension Schema {
  func has(table name: String) -> Bool { objects[Name(type: "table", name: name)] != nil }
}

extension CheckRun {
  /// Looks at what marks a file as Docket's, and compares its schema with that of the migrations.
  /// - Throws: where it is none of Docket's, or of a newer version.
  mutating func identify() throws -> Schema {
    let application = try connection.int64("PRAGMA application_id") ?? 0
    let marked = Int(try connection.int64("PRAGMA user_version") ?? 0)
    let schema = try Schema(of: connection)
    guard schema.looksLikeDocket else {
      guard application == Int64(MigrationCatalog.applicationID) else {
        throw OpeningError.notDocket(path: result.path)
      }
      add(.schema, "the tables document_rows, changes and migrations are not all there")
      hasTables = false
      return schema
    }
    let recorded = try recordedMigrations()
    let version =
      marked > 0 ? marked : try schema.version(among: migrations) ?? Int(max(recorded.keys.max() ?? 1, 1))
    guard version <= migrations.count else {
      throw OpeningError.newer(path: result.path, version: version, supported: migrations.count)
    }
    result.version = version
    if application != Int64(MigrationCatalog.applicationID) || marked <= 0 {
      add(
        .marks,
        "application_id is \(application) and user_version \(marked): the file lacks what marks it as Docket's, as .dump leaves it; docket restore mends a copy"
      )
    }
    if try connection.int64("PRAGMA auto_vacuum") != 2 {
      add(.upkeep, "auto_vacuum is not incremental, so that free pages stay in the file; docket compact puts it right")
    }
    let expected = try Schema(after: Array(migrations.prefix(version)))
    for difference in schema.differences(from: expected) { add(.schema, difference) }
    hasTables = expected.objects.allSatisfy { name, sql in
      name.type != "table" || schema.objects[name]?.utf8.elementsEqual(sql.utf8) == true
    }
    checkRecords(recorded, version: version)
    return schema
  }

  private func recordedMigrations() throws(SQLiteError) -> [Int64: String] {
    let statement = try connection.prepare(
      "SELECT version, checksum FROM migrations ORDER BY version LIMIT 1000", persistent: false)
    var recorded: [Int64: String] = [:]
    while try statement.step() { recorded[statement.int64(0)] = statement.string(1) }
    return recorded
  }

  private mutating func checkRecords(_ recorded: [Int64: String], version: Int) {
    if let newest = recorded.keys.max(), newest > version {
      add(.marks, "user_version is \(version), but migration \(newest) was run")
    }
    for migration in migrations.prefix(version) {
      switch recorded[Int64(migration.version)] {
      case nil: add(.upkeep, "that migration \(migration.version) was run is not recorded; the next start does that")
      case migration.checksum: break
      default:
        add(.schema, "migration \(migration.version) (\(migration.name)) is not the one that this docket contains")
      }
    }
  }

  /// The history's name, and the row on which the view `documents` depends.
  mutating func checkProperties() throws {
    result.history = try connection.string("SELECT value FROM properties WHERE name = 'history_id'")
    let isName = result.history?.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } ?? false
    if !isName || result.history?.utf8.count != 32 {
      add(
        .marks, "properties.history_id is \(result.history.map { "'\($0)'" } ?? "missing"), not 32 hexadecimal digits")
    }
    let single = try connection.int64("SELECT count(*) = 1 AND min(already_exists) = 1 FROM document")
    if single != 1 {
      add(.schema, "table document must hold the number 1 and nothing else, or INSERT does not see what exists")
    }
    let made = try connection.string("SELECT value FROM properties WHERE name = 'sqlite_version'")
    if made != SQLiteVersion.current {
      add(
        .upkeep,
        "its indexes were made by SQLite \(made ?? "of a version that is not recorded"), and this is \(SQLiteVersion.current); the next start makes them anew"
      )
    }
  }

  // MARK: Settings

  /// The settings of collections, what they need in the schema, and what is there besides.
  mutating func checkSettings(_ schema: Schema) throws {
    var needed: Set<Schema.Name> = []
    var texts: [TextSchema] = []
    let statement = try connection.prepare("SELECT name, settings FROM collections ORDER BY name", persistent: false)
    while try statement.step() {
      let name = statement.string(0)
      if let problem = StoredPath.problem(collection: statement.bytes(0)) {
        add(.settings, "settings of '\(name)': \(problem)")
        continue
      }
      if let problem = Self.problem(settings: statement.bytes(1)) { add(.settings, "settings of \(name): \(problem)") }
      let settings = NamedSettings(
        CollectionPath(unchecked: name), CollectionSettings(stored: statement.bytes(1)))
      let objects = settings.objects
      needed.formUnion(objects.flatMap(\.schemaNames))
      for object in objects { try check(object, of: name, schema) }
      for fields in settings.settings.unique { try checkUnique(fields, settings.collection) }
      if let text = settings.textSchema, schema.holds(text.object) { texts.append(text) }
    }
    noteForeign(schema, ofSettings: needed)
    for text in texts { try checkTexts(text) }
  }

  /// Why settings cannot be read whole: what of them a store would not take in.
  private static func problem(settings text: UnsafeRawBufferPointer) -> String? {
    do {
      try JSONScanner.validate(text)
    } catch {
      return "they are no JSON (\(error.description))"
    }
    guard var members = try? JSONMembers(of: JSONScanner(text)) else { return "they are no JSON object" }
    var read = CollectionSettings(stored: text).json
    return read.withUTF8 { read in
      let read = UnsafeRawBufferPointer(read)
      while let member = try? members.next() {
        let key = JSONString.decode(UnsafeRawBufferPointer(rebasing: text[member.key.range])) ?? ""
        let value = UnsafeRawBufferPointer(rebasing: text[member.value])
        guard let taken = Self.value(of: key, in: read), JSONEquality.same(taken, value) else {
          return "\(key) cannot be read as it is"
        }
      }
      return nil
    }
  }

  private static func value(of key: String, in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard var members = try? JSONMembers(of: JSONScanner(text)) else { return nil }
    while let member = try? members.next() {
      let name = JSONString.decode(UnsafeRawBufferPointer(rebasing: text[member.key.range])) ?? ""
      if name.utf8.elementsEqual(key.utf8) {
        return UnsafeRawBufferPointer(rebasing: text[member.value])
      }
    }
    return nil
  }

  private mutating func check(_ object: SettingsObject, of collection: String, _ schema: Schema) throws {
    for part in object.whole where !schema.holds(part) {
      let state = schema.objects[part.schemaName] == nil ? "is missing" : "is altered"
      add(.index, "\(part.kind.rawValue) \(part.name) of the settings of \(collection) \(state)")
    }
    if object.kind == .table, schema.holds(object), try !connection.isSound(object) {
      add(.index, "table \(object.name) of the settings of \(collection) lacks tables that it is made of")
    }
  }

  private mutating func checkUnique(_ fields: CollectionIndex, _ collection: CollectionPath) throws {
    do {
      let pair = try connection.prepare(UniqueSchema(fields, of: collection).allPairs, persistent: false)
      pair.bind(WallClock.system.milliseconds(), at: 1)
      while try pair.step() {
        add(
          .unique,
          "\(collection)\(pair.string(0)) and \(collection)\(pair.string(1)) have the same \(fields.names.joined(separator: ", "))"
        )
      }
    } catch {
      // The index is not there, which was told, or a row is no JSON, which will be.
      guard error.code == SQLITE_ERROR else { throw error }
    }
  }

  /// Tells of what is in the schema and neither of the migrations nor of settings.
  mutating func noteForeign(_ schema: Schema, ofSettings needed: Set<Schema.Name>) {
    guard let expected = try? Schema(after: Array(migrations.prefix(result.version))) else { return }
    let known = expected.names.union(needed)
    for (name, sql) in schema.objects.sorted(by: { $0.key.description < $1.key.description })
    where !known.contains(name) {
      if sql.contains(SettingsObject.comment) || SettingsObject.isTextTable(name.name) {
        add(.index, "\(name.description) is left over: no collection's settings name it")
      } else {
        add(.foreign, "\(name.description) is not of Docket's making")
      }
    }
  }
}

extension SettingsObject {
  /// What stands in the SQL of indexes and triggers of settings.
  fileprivate static let comment = "-- Of the settings of /"

  /// Whether a table's name is that of one of FTS5 for a collection, or of those that it is made of. In FTS5's own SQL there
  /// is no room for a comment.
  fileprivate static func isTextTable(_ name: String) -> Bool {
    guard name.hasPrefix("/"), let end = name.range(of: "/ text") else { return false }
    let suffix = name[end...]
    return suffix.isEmpty || suffix.hasPrefix("_") || suffix.hasPrefix(" ")
  }
}

extension String {
  /// Where what follows a text begins.
  fileprivate func range(of text: String) -> Index? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(text) { return self.index(index, offsetBy: text.count) }
      index = self.index(after: index)
    }
    return nil
  }
}
