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
  private let indexExists: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    schemaVersion = try connection.prepare("PRAGMA schema_version")
    selectOne = try connection.prepare("SELECT settings FROM collections WHERE name = ?1")
    selectAll = try connection.prepare("SELECT name, settings FROM collections ORDER BY name")
    indexExists = try connection.prepare(
      "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1 AND rtrim(sql, char(10) || ' ') = ?2")
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
    for index in try settings(of: collection)?.indexes ?? [] {
      let schema = IndexSchema(index, of: collection)
      if try exists(schema) { indexes.append(schema) }
    }
    known[collection] = indexes
    return indexes
  }

  private func currentVersion() throws(SQLiteError) -> Int64 {
    defer { schemaVersion.reset() }
    return try schemaVersion.step() ? schemaVersion.int64(0) : 0
  }

  /// Somebody may have dropped it by hand, or made another one under its name.
  func exists(_ schema: IndexSchema) throws(SQLiteError) -> Bool {
    indexExists.bind(schema.name, at: 1)
    indexExists.bind(schema.create, at: 2)
    defer { indexExists.reset() }
    return try indexExists.step()
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
