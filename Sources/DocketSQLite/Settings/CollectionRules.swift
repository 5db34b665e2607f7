import CSQLite
import DocketStore

/// What is set for collections, as far as writes must keep to it.
final class CollectionRules {
  struct Rule {
    /// Of a document that is written without a word on that.
    let lifetime: Lifetime?
    let requiresCondition: Bool
    /// Which fields are unique.
    let unique: [UniqueRule]
  }

  private let connection: Connection
  private let catalog: IndexCatalog
  private let savepoint: Savepoint
  private var known: [NamedSettings] = []
  private var rules: [CollectionPath: Rule] = [:]
  private let tableTriggers: Statement
  /// Whether what is known may be wrong.
  private(set) var isStale = true

  init(_ connection: Connection) throws(SQLiteError) {
    self.connection = connection
    catalog = try IndexCatalog(connection)
    savepoint = try Savepoint(connection)
    tableTriggers = try connection.prepare(
      """
      SELECT name, rtrim(sql, char(10) || ' ') FROM sqlite_schema
      WHERE type = 'trigger' AND tbl_name IN ('document_rows', 'changes', 'tombstones')
      """)
  }

  subscript(_ collection: CollectionPath) -> Rule? { rules.isEmpty ? nil : rules[collection] }

  func forget() { isStale = true }

  /// Reads what holds in the open transaction.
  func read() throws(SQLiteError) {
    let all = try catalog.all()
    isStale = false
    guard all != known else { return }
    known = []
    rules = [:]
    for named in all {
      let settings = named.settings
      var unique: [UniqueRule] = []
      for fields in settings.unique { unique.append(try UniqueRule(connection, fields, of: named.collection)) }
      let rule = Rule(
        lifetime: settings.lifetimeSeconds.map { .milliseconds($0 * 1_000) },
        requiresCondition: settings.requiresCondition, unique: unique)
      guard rule.lifetime != nil || rule.requiresCondition || !unique.isEmpty else { continue }
      rules[named.collection] = rule
    }
    known = all
  }

  /// Whether nobody has put triggers on the documents or their history, but for those that keep texts as the documents
  /// are: these change neither. Of what `read` has read.
  func areTablesSimple() throws(SQLiteError) -> Bool {
    defer { tableTriggers.reset() }
    while try tableTriggers.step() {
      let (name, create) = (tableTriggers.string(0), tableTriggers.string(1))
      let isOurs = known.contains { named in
        named.textSchema?.object.keepers.contains {
          $0.name.utf8.elementsEqual(name.utf8) && $0.create.utf8.elementsEqual(create.utf8)
        } ?? false
      }
      guard isOurs else { return false }
    }
    return true
  }

  /// Makes anew what texts need and what somebody has dropped. A trigger without its table would end all writing, so what
  /// cannot be made is taken away.
  func mendTexts() throws(SQLiteError) {
    for object in known.compactMap({ $0.textSchema?.object }) where try !catalog.exists(object) {
      try savepoint.set()
      do {
        try connection.make(object)
        try savepoint.release()
      } catch {
        guard error.code == SQLITE_ERROR else { throw error }
        try savepoint.goBack()
        for keeper in object.keepers { try connection.execute(keeper.drop) }
      }
    }
  }
}

/// That no two documents of a collection have the same values of some fields.
struct UniqueRule {
  let fields: CollectionIndex
  private let search: Statement
  private let searchExpired: Statement

  init(_ connection: Connection, _ fields: CollectionIndex, of collection: CollectionPath) throws(SQLiteError) {
    self.fields = fields
    let schema = UniqueSchema(fields, of: collection)
    search = try connection.prepare(schema.search)
    searchExpired = try connection.prepare(schema.searchExpired)
  }

  /// The live document, other than itself, that has the same values as one; nil if there is none.
  /// - Parameters:
  ///   - data: the document's JSON.
  ///   - id: the document's own.
  ///   - wall: the time by which documents expire.
  func other(like data: UnsafeRawBufferPointer, id: String, wall: Int64) throws(SQLiteError) -> String? {
    try ids(search, data, id, wall).first
  }

  /// Some of those that have the same values and have expired.
  func expired(like data: UnsafeRawBufferPointer, id: String, wall: Int64) throws(SQLiteError) -> [String] {
    try ids(searchExpired, data, id, wall)
  }

  private func ids(
    _ search: Statement, _ data: UnsafeRawBufferPointer, _ id: String, _ wall: Int64
  ) throws(SQLiteError) -> [String] {
    search.bind(borrowing: data, at: 1)
    search.bind(id, at: 2)
    search.bind(wall, at: 3)
    defer { search.reset() }
    var ids: [String] = []
    while try search.step() { ids.append(search.string(0)) }
    return ids
  }
}
