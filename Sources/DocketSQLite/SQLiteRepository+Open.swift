import DocketStore
import Logging
import Migrations

extension SQLiteRepository {
  /// Opens the documents in a file, which is made if there is none.
  public static func open(
    path: String, options: SQLiteStoreOptions = SQLiteStoreOptions(), logger: Logger, clock: WallClock = .system
  ) throws(StoreError) -> SQLiteRepository {
    do throws(SQLiteError) {
      let connection = try Connection(path: path, access: .create)
      if try connection.int64("SELECT count(*) FROM sqlite_schema WHERE name = 'document_rows'") == 0 {
        for migration in MigrationCatalog.migrations { try connection.execute(migration.sql) }
      }
      return try SQLiteRepository(path: path, connection: connection, options: options, clock: clock, logger: logger)
    } catch {
      throw StoreError(reading: error)
    }
  }
}
