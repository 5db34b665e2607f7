import DocketStore
import DocketTestSupport
import Foundation
import Migrations
import Testing

@testable import DocketSQLite

@Suite("The tokens of a file")
struct TokenFileTests {
  @Test("are made and revoked beside a server, which is told of them, as the file is of its own")
  func besideServer() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let file = try TokenFile.open(path: store.path, clock: store.clock?.wallClock ?? .system)
    #expect(file.isServed)
    let first = try file.add(.sample("first"))
    let second = try await session.add(.sample("second"))
    #expect(try file.tokens() == [first, second])
    #expect(try await session.tokens() == [first, second])
    #expect(throws: StoreError.tokenExists(name: "second")) { try file.add(.sample("second", id: "other")) }
    store.clock?.milliseconds += 1_000
    let revoked = try #require(try file.revoke("second"))
    #expect(revoked.revoked?.milliseconds == store.clock?.milliseconds)
    #expect(try file.revoke("second") == nil && file.revoke(second.id) == nil)
    #expect(try await session.tokens() == [first, revoked])
    // What the server writes meanwhile is not in its way.
    for number in 0..<20 {
      _ = try await session.put("/n/", "\(number)", "1")
      _ = try file.add(.sample("t\(number)"))
    }
    #expect(try await session.tokens().count == 22)
    try store.checkIntegrity()
  }

  @Test("are made in a file that is not served, which no server gets meanwhile, and in one that is new")
  func alone() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("new.db")
    do {
      let file = try TokenFile.open(path: path)
      #expect(!file.isServed)
      _ = try file.add(.sample("first"))
      #expect(throws: OpeningError.self) { try StoreFixture.open(path, SQLiteStoreOptions(), nil) }
    }
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    let file = try TokenFile.open(path: path)
    #expect(try file.tokens().map(\.name) == ["first"])
    #expect(throws: OpeningError.self) { try TokenFile.open(path: directory.file("none/at/all.db")) }
  }

  @Test("stay there: sqlite3 can revoke one and delete none")
  func deletion() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let token = try await session.add(.sample("ci"))
    for statement in ["DELETE FROM tokens", "DELETE FROM tokens WHERE id = '\(token.id)'"] {
      let outcome = try SQLiteCommand.run(store.path, statement)
      #expect(outcome.status != 0 && outcome.error.contains("tokens are kept for good"), "\(outcome)")
    }
    #expect(try await session.tokens() == [token])
    let update = "UPDATE tokens SET revoked_at = 5 WHERE name = 'ci'"
    #expect(try SQLiteCommand.run(store.path, update).status == 0)
    #expect(try await session.tokens().map(\.revoked) == [Timestamp(milliseconds: 5)])
  }

  @Test("allow nothing, and match nothing, where what stands there cannot be read")
  func unreadable() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let token = try await session.add(.sample("ci", [.admin]))
    for text in [#"["admin""#, "admin", "", #"["admin", "reed:/"]"#, "[7]", "\u{1}"] {
      let outside = try store.connect()
      try outside.execute("UPDATE tokens SET allow = '\(text)'")
      outside.close()
      #expect(try await session.tokens().map(\.rules) == [.none], "\(text)")
    }
    for digest in ["", "zz", "abc", String(repeating: "é", count: 32)] {
      let outside = try store.connect()
      try outside.execute("UPDATE tokens SET allow = '[\"stats\"]', digest = '\(digest)'")
      outside.close()
      let found = try #require(try await session.tokens().first)
      #expect(found.digest == [] && found.rules == AccessRules([.stats]) && found.id == token.id)
    }
  }

  @Test("are none in a file that knew nothing of them, and are then kept with what was there")
  func olderFile() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("old.db")
    for migration in MigrationCatalog.migrations.prefix(5) {
      #expect(try SQLiteCommand.run(path, migration.sql).error == "")
    }
    let old = "INSERT INTO documents(collection, id, data) VALUES ('/notes/', '1', '[1]')"
    #expect(try SQLiteCommand.run(path, old).status == 0)
    let repository = try StoreFixture.open(path, SQLiteStoreOptions(), nil)
    defer { repository.close() }
    let session = try SessionDriver(repository)
    #expect(try await session.tokens() == [])
    let token = try await session.add(.sample("first"))
    #expect(try await session.tokens() == [token])
    #expect(try await session.text("/notes/", "1") == "[1]")
  }
}
