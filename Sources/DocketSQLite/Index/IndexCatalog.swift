import DocketStore

/// What is set for collections, as the snapshot says that a connection is in.
struct IndexCatalog {
  private let selectOne: Statement
  private let selectAll: Statement
  private let indexExists: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    selectOne = try connection.prepare("SELECT settings FROM collections WHERE name = ?1")
    selectAll = try connection.prepare("SELECT name, settings FROM collections ORDER BY name")
    indexExists = try connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1")
  }

  /// The index that helps a query most; nil if none does.
  func plan(for query: Query) throws(SQLiteError) -> IndexPlan? {
    guard case .collection(let collection) = query.scope, query.moment == nil else { return nil }
    // A page of everything in the order of the paths needs none.
    if query.filter.isEverything, query.order?.isEmpty ?? true { return nil }
    guard let settings = try settings(of: collection) else { return nil }
    let plans = settings.indexes.compactMap { IndexPlan(IndexSchema($0, of: collection), for: query) }
    for plan in plans.sorted(by: { $0.merit > $1.merit }) where try exists(plan.schema) { return plan }
    return nil
  }

  /// Somebody may have dropped it by hand.
  private func exists(_ schema: IndexSchema) throws(SQLiteError) -> Bool {
    indexExists.bind(schema.name, at: 1)
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
