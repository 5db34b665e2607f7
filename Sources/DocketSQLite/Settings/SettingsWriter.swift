import CSQLite
import DocketStore
import Logging

/// Changes what is set for collections, inside the writer's open transaction: the row and what it needs in the schema
/// together, or neither.
struct SettingsWriter {
  private let connection: Connection
  private let logger: Logger
  private let progress: BuildProgress
  private let rules: CollectionRules
  private let savepoint: Savepoint
  private let catalog: IndexCatalog
  private let replace: Statement
  private let delete: Statement

  /// - Parameters:
  ///   - rules: are told when they have changed.
  ///   - progress: is told how far the making of indexes is.
  init(
    _ connection: Connection, rules: CollectionRules, progress: BuildProgress, logger: Logger
  ) throws(SQLiteError) {
    self.progress = progress
    self.connection = connection
    self.logger = logger
    self.rules = rules
    savepoint = try Savepoint(connection)
    catalog = try IndexCatalog(connection)
    replace = try connection.prepare(
      "INSERT INTO collections(name, settings) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET settings = excluded.settings")
    delete = try connection.prepare("DELETE FROM collections WHERE name = ?1")
  }

  /// - Parameter wall: the time by which documents expire.
  /// - Throws: what SQLite could not do; the group cannot be kept then.
  func change(
    _ collection: CollectionPath, to settings: CollectionSettings?, wall: Int64
  ) throws(SQLiteError) -> Result<SettingsChange, StoreError> {
    let all = try catalog.all()
    let former = all.first { $0.collection == collection }?.settings
    let elsewhere = all.reduce(0) { $0 + ($1.collection == collection ? 0 : $1.settings.indexCount) }
    let count = elsewhere + (settings?.indexCount ?? 0)
    let limit = CollectionSettings.maximumIndexes
    guard count <= limit else { return .failure(.tooManyIndexes(limit: limit)) }
    try savepoint.set()
    do {
      let wanted = NamedSettings(collection, settings ?? CollectionSettings())
      try make(wanted.objects, of: collection, from: NamedSettings(collection, former ?? CollectionSettings()).objects)
      if let duplicate = try duplicate(under: wanted, wall: wall) {
        try savepoint.goBack()
        return .failure(duplicate)
      }
      try store(settings, for: collection)
    } catch {
      // A row that was written past the door and is no JSON cannot be indexed; that is no failure of the group.
      guard error.code == SQLITE_ERROR else { throw error }
      try savepoint.goBack()
      return .failure(.indexNotMade(reason: error.message))
    }
    try savepoint.release()
    rules.forget()
    return .success(SettingsChange(existed: former != nil, indexes: count))
  }

  private func make(
    _ wanted: [SettingsObject], of collection: CollectionPath, from former: [SettingsObject]
  ) throws(SQLiteError) {
    for object in former where !wanted.contains(object) { try connection.execute(object.drop) }
    for object in wanted {
      // One that was there before may have been dropped by hand.
      if former.contains(object), try catalog.exists(object) { continue }
      let start = WallClock.uptimeMilliseconds()
      logger.notice(
        "making what the settings need; writes wait until it is there",
        metadata: [object.kind.rawValue: "\(object.name)"])
      try progress.follow(
        connection, making: object.name, steps: try steps(of: object, collection), logger: logger
      ) { () throws(SQLiteError) in try connection.make(object) }
      let milliseconds = WallClock.uptimeMilliseconds() - start
      logger.notice(
        "it is there", metadata: [object.kind.rawValue: "\(object.name)", "milliseconds": "\(milliseconds)"])
    }
  }

  /// How many steps it takes to make an object, about: SQLite looks at all rows for those of the collection.
  private func steps(of object: SettingsObject, _ collection: CollectionPath) throws(SQLiteError) -> Int64 {
    guard object.stepsPerDocument > 0 else { return 0 }
    let member = "collection = \(SQLText.literal(collection.description))"
    return try progress.follow(
      connection, making: object.name, steps: nil, logger: logger
    ) { () throws(SQLiteError) in
      let all = try connection.int64("SELECT count(*) FROM document_rows") ?? 0
      let own = try connection.int64("SELECT count(*) FROM document_rows WHERE \(member)") ?? 0
      return 3 * all + object.stepsPerDocument * own
    }
  }

  /// Two documents that are there already and that could not stand side by side under the settings.
  private func duplicate(under wanted: NamedSettings, wall: Int64) throws(SQLiteError) -> StoreError? {
    for fields in wanted.settings.unique {
      let pair = try connection.prepare(UniqueSchema(fields, of: wanted.collection).firstPair, persistent: false)
      pair.bind(wall, at: 1)
      let isFound = try progress.follow(
        connection, making: IndexSchema(fields, of: wanted.collection).object.name, steps: nil, logger: logger
      ) { () throws(SQLiteError) in try pair.step() }
      guard isFound else { continue }
      return .notUnique(
        wanted.collection, fields: fields.names, first: pair.string(0), second: pair.string(1))
    }
    return nil
  }

  private func store(_ settings: CollectionSettings?, for collection: CollectionPath) throws(SQLiteError) {
    guard let settings else {
      delete.bind(collection.description, at: 1)
      return try delete.run()
    }
    replace.bind(collection.description, at: 1)
    replace.bind(settings.json, at: 2)
    try replace.run()
  }
}
