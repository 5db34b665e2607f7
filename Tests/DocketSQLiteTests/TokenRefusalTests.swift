import DocketStore
import DocketTestSupport
import Migrations
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Tokens beside what others do to the file")
struct TokenRefusalTests {
  private static func token(_ name: String) -> NewToken {
    NewToken(
      id: "id-\(name)", name: name, rules: AccessRules([.read("/notes/")]), digest: Array(repeating: 7, count: 32),
      expires: nil)
  }

  @Test(
    "an operator's trigger refuses a token, and nothing else that is committed with it",
    arguments: ["ABORT", "ROLLBACK"])
  func trigger(raised: String) async throws {
    let fixture = try StoreFixture()
    let trigger = """
      CREATE TRIGGER own BEFORE INSERT ON tokens WHEN new.name = 'bad' BEGIN SELECT raise(\(raised), 'not here'); END;
      """
    #expect(try SQLiteCommand.run(fixture.path, trigger).status == 0)
    let session = try fixture.session()
    let errors = NIOLockedValueBox<[StoreError?]>([])
    // All four are one group.
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      session.tick { session in
        func tell<Value>(_ result: Result<Value, StoreError>) {
          let error: StoreError? = if case .failure(let error) = result { error } else { nil }
          let count = errors.withLockedValue {
            $0.append(error)
            return $0.count
          }
          if count == 4 { continuation.resume() }
        }
        session.submit(.put("/a/", "1", "1")) { tell($0) }
        session.add(Self.token("bad")) { tell($0) }
        session.add(Self.token("good")) { tell($0) }
        session.submit(.put("/a/", "2", "2")) { tell($0) }
      }
    }
    #expect(errors.withLockedValue { $0 } == [nil, .refused(reason: "not here"), nil, nil])
    #expect(
      try SQLiteCommand.run(
        fixture.path, "SELECT group_concat(name) FROM tokens; SELECT group_concat(id) FROM documents"
      ).output == "good\n1,2\n")
  }

  @Test("the reader of changes tells them as they are, whoever has changed them since it told them last")
  func told() async throws {
    let fixture = try StoreFixture()
    let session = try fixture.session()
    let reader = try FollowDriver(fixture.repository)
    func told() async throws -> [String] {
      try await reader.perform { $0.tokens() }.get().tokens.map(\.name)
    }
    func run(_ sql: String) throws { #expect(try SQLiteCommand.run(fixture.path, sql).status == 0) }

    #expect(try await told() == [])
    #expect(try await told() == [])
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      session.tick { $0.add(Self.token("a")) { _ in continuation.resume() } }
    }
    #expect(try await told() == ["a"])
    #expect(try await told() == ["a"])
    try run("UPDATE tokens SET revoked_at = 1000 * unixepoch() WHERE name = 'a'")
    #expect(try await told() == [])
    _ = try await session.write(.put("/a/", "1", "1"))
    #expect(try await told() == [])
    try run("UPDATE tokens SET revoked_at = NULL WHERE name = 'a'")
    #expect(try await told() == ["a"])
    await session.close()
  }

  @Test("beside a server of another version the file of tokens is not opened, and the reason is told")
  func otherVersion() async throws {
    try await TemporaryDatabase.use { path throws in
      let older = MigrationCatalog.migrations.dropLast()
      let served = try DatabaseFile.open(path, migrations: Array(older))
      let error = OpeningError.servedByAnother(
        path: served.path, version: older.count, ours: MigrationCatalog.currentVersion)
      #expect(throws: error) { try TokenFile.open(path: path) }
      withExtendedLifetime(served) {}
    }
  }
}
