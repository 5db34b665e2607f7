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

  @Test("are made in a file that is not served, and in one that is new; a server may start meanwhile, and go")
  func alone() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("new.db")
    do {
      let file = try TokenFile.open(path: path)
      #expect(try file.isOpen())
      let first = try file.add(.sample("first"))
      #expect(try !file.isOpen())
      let repository = try StoreFixture.open(path, SQLiteStoreOptions(), nil)
      let session = try SessionDriver(repository)
      #expect(try await session.tokens() == [first])
      let second = try file.add(.sample("second"))
      #expect(try await session.tokens() == [first, second])
      await session.close()
      repository.close()
      _ = try file.revoke("second")
    }
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    let file = try TokenFile.open(path: path)
    #expect(try file.tokens().map { "\($0.name) \($0.revoked == nil)" } == ["first true", "second false"])
    #expect(throws: OpeningError.self) { try TokenFile.open(path: directory.file("none/at/all.db")) }
  }

  @Test("that sqlite3 has revoked or deleted are so, and what tells that there has been one stays")
  func deletion() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let reader = try FollowDriver(store.repository)
    let (first, second) = (try await session.add(.sample("ci")), try await session.add(.sample("cd")))
    #expect(try await reader.perform { $0.tokens() }.get().tokens.count == 2)
    #expect(try SQLiteCommand.run(store.path, "DELETE FROM tokens WHERE id = '\(first.id)'").status == 0)
    #expect(try await reader.perform { $0.tokens() }.get().tokens == [second])
    let update = "UPDATE tokens SET revoked_at = 5 WHERE name = 'cd'"
    #expect(try SQLiteCommand.run(store.path, update).status == 0)
    #expect(try await session.tokens().map(\.revoked) == [Timestamp(milliseconds: 5)])
    #expect(try SQLiteCommand.run(store.path, "DELETE FROM tokens").status == 0)
    let roll = try await reader.perform { $0.tokens() }.get()
    #expect(roll.tokens.isEmpty && !roll.isOpen)
    for statement in [
      "DELETE FROM token_changes", "UPDATE token_changes SET number = 0",
      "UPDATE token_changes SET number = \(Int64.max)", "INSERT INTO token_changes VALUES (1, 0)",
      "INSERT OR REPLACE INTO token_changes VALUES (1, 0)",
    ] {
      let outcome = try SQLiteCommand.run(store.path, ".timeout 10000\n" + statement)
      #expect(outcome.status != 0 && outcome.error.contains("token_changes"), "\(statement): \(outcome)")
    }
    #expect(try await reader.perform { $0.tokens() }.get() == roll)
  }

  @Test("keep a server shut also where somebody has turned their count back, though all are revoked")
  func turnedBack() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let reader = try FollowDriver(store.repository)
    let token = try await session.add(.sample("ci"))
    let outside = try store.connect()
    try outside.execute(
      """
      DROP TRIGGER token_changes_update;
      UPDATE tokens SET revoked_at = 5 WHERE id = '\(token.id)';
      UPDATE token_changes SET number = 0;
      """)
    outside.close()
    let roll = try await reader.perform { $0.tokens() }.get()
    #expect(roll.tokens.isEmpty && !roll.isOpen)
  }

  @Test("are not read again where only documents are written")
  func constantWrites() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let reader = try FollowDriver(store.repository)
    func names() async throws -> [String] { try await reader.perform { $0.tokens() }.get().tokens.map(\.name) }
    _ = try await session.add(.sample("a"))
    #expect(try await names() == ["a"])
    // Past what counts the changes, so that only a reading shows it.
    let outside = try store.connect()
    try outside.execute("DROP TRIGGER tokens_update; UPDATE tokens SET name = 'b'")
    _ = try await session.put("/n/", "1", "1")
    #expect(try await names() == ["a"])
    try outside.execute("UPDATE token_changes SET number = number + 1")
    #expect(try await names() == ["b"])
    outside.close()
  }

  // MARK: How many there may be

  private static func options(_ set: (inout TokenLimits) -> Void) -> SQLiteStoreOptions {
    var options = SQLiteStoreOptions()
    set(&options.tokens)
    return options
  }

  @Test("are not more than may hold at once, by the server and by the file; those that have ended do not count")
  func limit() async throws {
    let store = try StoreFixture(options: Self.options { $0.holding = 2 })
    let clock = try #require(store.clock)
    let session = try store.session()
    var limits = TokenLimits()
    limits.holding = 3
    let file = try TokenFile.open(path: store.path, limits: limits, clock: clock.wallClock)
    let end = Timestamp(milliseconds: clock.milliseconds + 1_000)
    _ = try await session.add(.sample("a", expires: end))
    _ = try await session.add(.sample("b"))
    await #expect(throws: StoreError.tooManyTokens(limit: 2)) { try await session.add(.sample("c")) }
    // What is wrong with the name is told first.
    await #expect(throws: StoreError.tokenExists(name: "b")) { try await session.add(.sample("b", id: "other")) }
    _ = try file.add(.sample("c"))
    #expect(throws: StoreError.tooManyTokens(limit: 3)) { try file.add(.sample("d")) }
    _ = try await session.revokeToken("b")
    await #expect(throws: StoreError.tooManyTokens(limit: 2)) { try await session.add(.sample("e")) }
    clock.milliseconds += 1_000
    _ = try await session.add(.sample("a", id: "again"))
    #expect(try await session.tokens().map(\.name) == ["a", "b", "c", "a"])
    try store.checkIntegrity()
  }

  @Test("that have ended are kept for a while, and so many of them: one that is made clears the others away")
  func clearing() async throws {
    let store = try StoreFixture(
      options: Self.options {
        $0.endedDays = 2
        $0.ended = 3
      })
    let clock = try #require(store.clock)
    let session = try store.session()
    func names() async throws -> [String] { try await session.tokens().map(\.name) }
    let day: Int64 = 86_400_000
    let end = Timestamp(milliseconds: clock.milliseconds + day)
    for token in [NewToken.sample("short", expires: end), .sample("gone"), .sample("stays")] {
      clock.milliseconds += 1
      _ = try await session.add(token)
    }
    _ = try await session.revokeToken("gone")
    clock.milliseconds += 2 * day - 1
    _ = try await session.add(.sample("a"))
    #expect(try await names() == ["short", "gone", "stays", "a"])
    clock.milliseconds += 1
    _ = try await session.add(.sample("b"))
    #expect(try await names() == ["short", "stays", "a", "b"])
    clock.milliseconds += day
    // One that has expired when it is made is there all the same.
    _ = try await session.add(.sample("c", expires: end))
    #expect(try await names() == ["stays", "a", "b", "c"])
    for name in ["a", "b", "stays"] {
      clock.milliseconds += 1
      _ = try await session.revokeToken(name)
    }
    clock.milliseconds += 1
    _ = try await session.add(.sample("d"))
    #expect(try await names() == ["stays", "a", "b", "d"])
    _ = try await session.revokeToken("d")
    _ = try await session.add(.sample("e"))
    #expect(try await names() == ["stays", "b", "d", "e"], "those that ended first go first")
    try store.checkIntegrity()
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
