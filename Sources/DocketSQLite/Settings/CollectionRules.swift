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
  private var known: [NamedSettings] = []
  private var rules: [CollectionPath: Rule] = [:]
  /// Whether what is known may be wrong.
  private(set) var isStale = true

  init(_ connection: Connection) throws(SQLiteError) {
    self.connection = connection
    catalog = try IndexCatalog(connection)
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
}

/// That no two documents of a collection have the same values of some fields.
struct UniqueRule {
  let fields: CollectionIndex
  private let search: Statement

  init(_ connection: Connection, _ fields: CollectionIndex, of collection: CollectionPath) throws(SQLiteError) {
    self.fields = fields
    search = try connection.prepare(UniqueSchema(fields, of: collection).search)
  }

  /// The other documents that have the same values as one: those that have expired, and a live one if there is one.
  /// - Parameters:
  ///   - data: the document's JSON.
  ///   - id: the document's own.
  ///   - wall: the time by which documents expire.
  func others(
    like data: UnsafeRawBufferPointer, id: String, wall: Int64
  ) throws(SQLiteError) -> (expired: [String], live: String?) {
    search.bind(borrowing: data, at: 1)
    search.bind(id, at: 2)
    search.bind(wall, at: 3)
    defer { search.reset() }
    var expired: [String] = []
    while try search.step() {
      guard search.int64(1) == 1 else { return (expired, search.string(0)) }
      expired.append(search.string(0))
    }
    return (expired, nil)
  }
}
