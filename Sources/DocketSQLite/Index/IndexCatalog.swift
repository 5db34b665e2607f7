import DocketStore

/// What is set for collections, as the snapshot says that a connection is in.
///
/// Which indexes there are is known by heart until the schema changes, whoever changes it
/// (https://sqlite.org/pragma.html#pragma_schema_version).
final class IndexCatalog {
  private let schemaVersion: Statement
  private var knownVersion: Int64 = -1
  private var known: [CollectionPath: [IndexSchema]] = [:]
  private let selectOne: Statement
  private let selectAll: Statement
  private let objectExists: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    schemaVersion = try connection.prepare("PRAGMA schema_version")
    selectOne = try connection.prepare("SELECT settings FROM collections WHERE name = ?1")
    selectAll = try connection.prepare("SELECT name, settings FROM collections ORDER BY name")
    objectExists = try connection.prepare(
      "SELECT 1 FROM sqlite_schema WHERE type = ?1 AND name = ?2 AND rtrim(sql, char(10) || ' ') = ?3")
  }

  /// The index that helps a query most; nil if none does.
  func plan(for query: Query) throws(SQLiteError) -> IndexPlan? {
    guard case .collection(let collection) = query.scope, query.moment == nil else { return nil }
    // A page of everything in the order of the paths needs none.
    if query.filter.isEverything, query.order?.isEmpty ?? true { return nil }
    return try indexes(of: collection).compactMap { IndexPlan($0, for: query) }.max { $0.merit < $1.merit }
  }

  /// Of so many collections at most is known what they have.
  private static let limit = 1_024

  private func indexes(of collection: CollectionPath) throws(SQLiteError) -> [IndexSchema] {
    let version = try currentVersion()
    if version != knownVersion || known.count >= Self.limit { known = [:] }
    knownVersion = version
    if let indexes = known[collection] { return indexes }
    var indexes: [IndexSchema] = []
    for index in try settings(of: collection)?.allIndexes ?? [] {
      let schema = IndexSchema(index, of: collection)
      if try exists(schema.object) { indexes.append(schema) }
    }
    known[collection] = indexes
    return indexes
  }

  /// How words are searched in a collection; nil where its settings name no texts, or what they need is not there.
  func textSchema(of collection: CollectionPath) throws(SQLiteError) -> TextSchema? {
    guard let settings = try settings(of: collection),
      let schema = NamedSettings(collection, settings).textSchema, try exists(schema.object)
    else { return nil }
    return schema
  }

  private func currentVersion() throws(SQLiteError) -> Int64 {
    defer { schemaVersion.reset() }
    return try schemaVersion.step() ? schemaVersion.int64(0) : 0
  }

  /// Somebody may have dropped it by hand, or made another one under its name.
  func exists(_ object: SettingsObject) throws(SQLiteError) -> Bool {
    for part in object.whole where try !isThere(part) { return false }
    return true
  }

  private func isThere(_ object: SettingsObject) throws(SQLiteError) -> Bool {
    objectExists.bind(object.kind.rawValue, at: 1)
    objectExists.bind(object.name, at: 2)
    objectExists.bind(object.create, at: 3)
    defer { objectExists.reset() }
    return try objectExists.step()
  }

  func settings(of collection: CollectionPath) throws(SQLiteError) -> CollectionSettings? {
    selectOne.bind(collection.description, at: 1)
    defer { selectOne.reset() }
    return try selectOne.step() ? CollectionSettings(stored: selectOne.bytes(0)) : nil
  }

  func all() throws(SQLiteError) -> [NamedSettings] {
    defer { selectAll.reset() }
    var all: [NamedSettings] = []
    while try selectAll.step() {
      all.append(
        NamedSettings(
          CollectionPath(unchecked: selectAll.string(0)), CollectionSettings(stored: selectAll.bytes(1))))
    }
    return all
  }
}
