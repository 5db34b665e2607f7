import CSQLite
import DocketStore
import Logging

/// Changes what is set for collections, inside the writer's open transaction: the row and the indexes together, or neither.
struct SettingsWriter {
  private let connection: Connection
  private let logger: Logger
  private let savepoint: Savepoint
  private let catalog: IndexCatalog
  private let replace: Statement
  private let delete: Statement

  /// Each index that a collection has costs every write of every collection a little: SQLite asks each whether the row is
  /// in it. With 50 indexes of other collections an update took five times as long as with none.
  static let maximumIndexes = 64

  init(_ connection: Connection, logger: Logger) throws(SQLiteError) {
    self.connection = connection
    self.logger = logger
    savepoint = try Savepoint(connection)
    catalog = try IndexCatalog(connection)
    replace = try connection.prepare(
      "INSERT INTO collections(name, settings) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET settings = excluded.settings")
    delete = try connection.prepare("DELETE FROM collections WHERE name = ?1")
  }

  /// - Throws: what SQLite could not do; the group cannot be kept then.
  func change(
    _ collection: CollectionPath, to settings: CollectionSettings?
  ) throws(SQLiteError) -> Result<SettingsChange, StoreError> {
    let all = try catalog.all()
    let former = all.first { $0.collection == collection }?.settings
    let elsewhere = all.reduce(0) { $0 + ($1.collection == collection ? 0 : $1.settings.indexes.count) }
    let count = elsewhere + (settings?.indexes.count ?? 0)
    guard count <= Self.maximumIndexes else { return .failure(.tooManyIndexes(limit: Self.maximumIndexes)) }
    try savepoint.set()
    do {
      try make(collection, from: former?.indexes ?? [], to: settings?.indexes ?? [])
      try store(settings, for: collection)
    } catch {
      // A row that was written past the door and is no JSON cannot be indexed; that is no failure of the group.
      guard error.code == SQLITE_ERROR else { throw error }
      try savepoint.goBack()
      return .failure(.indexNotMade(reason: error.message))
    }
    try savepoint.release()
    return .success(SettingsChange(existed: former != nil, indexes: count))
  }

  private func make(
    _ collection: CollectionPath, from former: [CollectionIndex], to wanted: [CollectionIndex]
  ) throws(SQLiteError) {
    for index in former where !wanted.contains(index) {
      try connection.execute(IndexSchema(index, of: collection).drop)
    }
    for index in wanted {
      let schema = IndexSchema(index, of: collection)
      // One that was there before may have been dropped by hand.
      if former.contains(index), try catalog.exists(schema) { continue }
      let start = WallClock.uptimeMilliseconds()
      logger.notice("making an index; writes wait until it is there", metadata: ["index": "\(schema.name)"])
      try connection.execute("\(schema.drop); \(schema.create)")
      let milliseconds = WallClock.uptimeMilliseconds() - start
      logger.notice("the index is there", metadata: ["index": "\(schema.name)", "milliseconds": "\(milliseconds)"])
    }
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
