import DocketStore
import DocketTestSupport
import Foundation
import Migrations
import Testing

@testable import DocketSQLite

@Suite("Migrations")
struct MigrationTests {
  /// The catalog with one script more, so that there is always a step from each of its versions.
  static let extended =
    MigrationCatalog.migrations + [
      migration(
        MigrationCatalog.currentVersion + 1, "CREATE TABLE extra(word TEXT) STRICT;\nINSERT INTO extra VALUES ('new');")
    ]

  static func migration(_ version: Int, _ body: String) -> Migration {
    Migration(
      version: version, name: "test",
      script: Array("BEGIN IMMEDIATE;\nPRAGMA user_version = \(version);\n\(body)\nCOMMIT;\n".utf8))
  }

  func query(_ path: String, _ sql: String) throws -> String? {
    let connection = try Connection(path: path, access: .write)
    defer { connection.close() }
    return try connection.string(sql)
  }

  func execute(_ path: String, _ sql: String) throws {
    let connection = try Connection(path: path, access: .create)
    defer { connection.close() }
    try connection.execute(sql)
  }

  @Test("versions count from 1 without a gap, and each script sets its own")
  func catalogIsInOrder() throws {
    #expect(MigrationCatalog.migrations.map(\.version) == Array(1...MigrationCatalog.currentVersion))
    for migration in MigrationCatalog.migrations {
      #expect(migration.sqlBeforeCommit.contains("\nPRAGMA user_version = \(migration.version);\n"))
    }
  }

  @Test("a script that has shipped never changes: a change needs a script of its own")
  func shippedScripts() {
    #expect(
      MigrationCatalog.migrations.map(\.checksum) == [
        "5985268e3e4c72c5", "d5fc46b916ca4e3c", "b79f3e02cd7b7049", "9a374811ca16c0d3", "316efde1a22c7703",
        "9825d2f5ae86156f",
      ])
  }

  @Test("the checksum is FNV-1a of the bytes")
  func checksums() {
    #expect(Migration(version: 1, name: "", script: []).checksum == "cbf29ce484222325")
    #expect(Migration(version: 1, name: "", script: Array("a".utf8)).checksum == "af63dc4c8601ec8c")
  }

  @Test("a new database has all migrations, the marks, the log, and no readers but its owner")
  func newDatabase() async throws {
    try await TemporaryDatabase.use { path throws in
      let file = try DatabaseFile.open(path)
      #expect(file.isNew)
      #expect(file.appliedMigrations == Array(1...MigrationCatalog.currentVersion))
      #expect(file.recordedMigrations.isEmpty && file.foreignObjects.isEmpty)
      #expect(try query(path, "PRAGMA application_id") == "\(0x444F_434B)")
      #expect(try query(path, "PRAGMA user_version") == "\(MigrationCatalog.currentVersion)")
      #expect(try query(path, "PRAGMA auto_vacuum") == "2")
      #expect(try query(path, "PRAGMA journal_mode") == "wal")
      #expect(try query(path, "SELECT length(value) FROM properties WHERE name = 'history_id'") == "32")
      let recorded = try query(path, "SELECT group_concat(version || name || checksum) FROM migrations")
      #expect(
        recorded == MigrationCatalog.migrations.map { "\($0.version)\($0.name)\($0.checksum)" }.joined(separator: ","))
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test("opening again changes nothing")
  func openingAgain() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      let before = try query(path, "SELECT group_concat(quote(value)) FROM properties")
      let file = try DatabaseFile.open(path)
      #expect(!file.isNew && file.appliedMigrations.isEmpty && file.recordedMigrations.isEmpty)
      #expect(try query(path, "SELECT group_concat(quote(value)) FROM properties") == before)
    }
  }

  @Test("an empty file, and a database without tables, count as new", arguments: ["", "PRAGMA journal_mode = WAL"])
  func emptyFiles(statement: String) async throws {
    try await TemporaryDatabase.use { path throws in
      try Data().write(to: URL(fileURLWithPath: path))
      try execute(path, statement)
      let file = try DatabaseFile.open(path)
      #expect(file.appliedMigrations == Array(1...MigrationCatalog.currentVersion))
      #expect(try query(path, "PRAGMA auto_vacuum") == "2")
      #expect(try query(path, "PRAGMA journal_mode") == "wal")
    }
  }

  @Test(
    "every older version, made by hand with sqlite3, becomes the newest one and keeps its documents",
    arguments: 0...MigrationCatalog.currentVersion)
  func olderVersions(version: Int) async throws {
    try await TemporaryDatabase.use { path throws in
      for migration in MigrationCatalog.migrations.prefix(version) {
        #expect(try SQLiteCommand.run(path, migration.sql).error == "")
      }
      if version > 0 {
        try execute(path, "INSERT INTO documents(collection, id, data) VALUES ('/notes/', '1', '[1]')")
      }
      let file = try DatabaseFile.open(path, migrations: Self.extended)
      #expect(file.recordedMigrations == Array(1..<version + 1))
      #expect(file.appliedMigrations == Array(version + 1...Self.extended.count))
      #expect(try query(path, "SELECT data FROM documents") == (version > 0 ? "[1]" : nil))
      let connection = try Connection(path: path, access: .read)
      let schemas = [try Schema(of: connection), try Schema(after: Self.extended)]
      #expect(schemas[0] == schemas[1])
      #expect(try connection.int64("SELECT count(*) FROM migrations") == Int64(Self.extended.count))
    }
  }

  @Test("a script that fails leaves the version before it, and a mended one goes on from there")
  func failingScript() async throws {
    try await TemporaryDatabase.use { path throws in
      let next = MigrationCatalog.currentVersion + 1
      let broken =
        MigrationCatalog.migrations + [Self.migration(next, "CREATE TABLE extra(word TEXT);\nSELECT nonsense();")]
      #expect(throws: OpeningError.self) { try DatabaseFile.open(path, migrations: broken) }
      #expect(try query(path, "PRAGMA user_version") == "\(next - 1)")
      #expect(try query(path, "SELECT max(version) FROM migrations") == "\(next - 1)")
      #expect(try DatabaseFile.open(path, migrations: Self.extended).appliedMigrations == [next])
    }
  }

  @Test("a server that dies within a script leaves an empty file, which is migrated as a new one")
  func diedWithinScript() async throws {
    try await TemporaryDatabase.use { path throws in
      let connection = try Connection(path: path, access: .create)
      // One page of cache: the script's pages reach the file, as they would if it were large.
      try connection.execute("PRAGMA cache_size = 1")
      try connection.execute(MigrationCatalog.migrations[0].sqlBeforeCommit)
      let copy = path.replacingOccurrences(of: "docket.db", with: "copy.db")
      for suffix in ["", "-journal"] {
        try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
      }
      let file = try DatabaseFile.open(copy)
      #expect(file.appliedMigrations == Array(1...MigrationCatalog.currentVersion))
      try connection.execute("ROLLBACK")
    }
  }

  @Test("a script that was run but not recorded is recorded, if it left what it should")
  func notRecorded() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      try execute(path, "DELETE FROM migrations")
      #expect(try DatabaseFile.open(path).recordedMigrations == Array(1...MigrationCatalog.currentVersion))
      let first = MigrationCatalog.migrations[0]
      #expect(try query(path, "SELECT checksum FROM migrations WHERE version = 1") == first.checksum)
      try execute(path, "DELETE FROM migrations; DROP TRIGGER documents_delete; DROP VIEW clock")
      let path = try DatabasePath(resolving: path).file
      #expect(
        throws: OpeningError.schemaAltered(
          path: path, objects: ["trigger documents_delete is missing", "view clock is missing"])
      ) { try DatabaseFile.open(path) }
    }
  }

  @Test("an altered table is refused, and what others added is reported")
  func otherObjects() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      try execute(
        path, "CREATE TABLE audit(what TEXT); CREATE TRIGGER watch AFTER INSERT ON changes BEGIN SELECT 1; END")
      #expect(try DatabaseFile.open(path).foreignObjects == ["table audit", "trigger watch"])
      try execute(path, "ALTER TABLE document_rows ADD COLUMN colour TEXT")
      let path = try DatabasePath(resolving: path).file
      #expect(throws: OpeningError.schemaAltered(path: path, objects: ["table document_rows is altered"])) {
        try DatabaseFile.open(path)
      }
    }
  }

  @Test("a file whose script had another checksum is refused")
  func changedChecksum() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      try execute(path, "UPDATE migrations SET checksum = 'cafe' WHERE version = 1")
      let path = try DatabasePath(resolving: path).file
      #expect(throws: OpeningError.migrationAltered(path: path, version: 1, name: "documents")) {
        try DatabaseFile.open(path)
      }
    }
  }

  @Test("a newer file is refused, and so is one whose version was lowered")
  func otherVersions() async throws {
    try await TemporaryDatabase.use { path throws in
      let known = MigrationCatalog.currentVersion
      _ = try DatabaseFile.open(path, migrations: Self.extended)
      let path = try DatabasePath(resolving: path).file
      #expect(throws: OpeningError.newer(path: path, version: known + 1, supported: known)) {
        try DatabaseFile.open(path)
      }
      try execute(path, "PRAGMA user_version = \(known)")
      #expect(throws: OpeningError.versionLowered(path: path, version: known, recorded: known + 1)) {
        try DatabaseFile.open(path, migrations: Self.extended)
      }
    }
  }

  @Test("a database restored from .dump is refused with the statements that mend it, and then opened")
  func restoredFromDump() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      try execute(path, "INSERT INTO documents(collection, id, data) VALUES ('/item/', '1', '\"a''b\"')")
      let directory = (path as NSString).deletingLastPathComponent
      let restored = try DatabasePath(resolving: directory + "/restored.db").file
      #expect(try SQLiteCommand.shell("sqlite3 docket.db .dump | sqlite3 restored.db", in: directory).error == "")
      let refusal = #expect(throws: OpeningError.self) { try DatabaseFile.open(restored) }
      #expect(refusal == .marksMissing(path: restored, version: MigrationCatalog.currentVersion))
      let advice = try #require(refusal?.description.components(separatedBy: "run: ").last)
      #expect(try SQLiteCommand.shell(advice, in: directory).status == 0)
      let file = try DatabaseFile.open(restored)
      #expect(file.appliedMigrations.isEmpty && file.recordedMigrations.isEmpty)
      #expect(try query(restored, "SELECT data FROM documents") == "\"a'b\"")
      #expect(try query(restored, "PRAGMA auto_vacuum") == "2")
    }
  }

  @Test("indexes on values that another SQLite made are made anew, those of collections too")
  func indexOfAnotherSQLite() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      let index = IndexSchema(CollectionIndex([.init(name: "n")]), of: CollectionPath(unchecked: "/c/"))
      // As if functions of that SQLite had made other keys: the index is said to be what it is not.
      _ = try SQLiteCommand.run(
        path,
        """
        INSERT INTO documents(collection, id, data) VALUES ('/c/', '1', '{"n": 1}');
        INSERT INTO collections VALUES ('/c/', '{"indexes": [["n"]]}');
        CREATE INDEX \(index.quotedName) ON document_rows(key + 1, key + 2, key + 3, id, expires_at) WHERE collection = '/c/';
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = '\(index.create.replacing("'", with: "''"))' WHERE name = '\(index.name)';
        """)
      #expect(try query(path, "PRAGMA integrity_check") != "ok")
      try execute(path, "UPDATE properties SET value = '3.0.0' WHERE name = 'sqlite_version'")
      _ = try DatabaseFile.open(path)
      #expect(try query(path, "PRAGMA integrity_check") == "ok")
      #expect(
        try query(path, "SELECT value FROM properties WHERE name = 'sqlite_version'") == SQLiteVersion.current)
    }
  }
}
