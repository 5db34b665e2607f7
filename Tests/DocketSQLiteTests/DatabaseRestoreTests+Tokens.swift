import DocketStore
import DocketTestSupport
import Foundation
import Migrations
import Testing

@testable import DocketSQLite

/// What becomes of access tokens, and of the triggers that could touch them.
extension DatabaseRestoreTests {
  private func addToken(_ name: String, _ id: String, in file: String? = nil) throws {
    let tokens = try TokenFile.open(path: file ?? path)
    _ = try tokens.add(
      NewToken(id: id, name: name, rules: AccessRules([.admin]), digest: [UInt8](repeating: 1, count: 32), expires: nil)
    )
  }

  private func tokens() throws -> [AccessToken] { try TokenFile.open(path: path).tokens() }

  /// The ids of those that let somebody in.
  private func holding() throws -> [String] { try tokens().filter { $0.revoked == nil }.map(\.id) }

  @Test("tokens stay as they are: none comes back that was revoked since, and what was closed stays closed")
  func tokensStay() throws {
    try addToken("old", "a")
    try makeBackup()
    #expect(try TokenFile.open(path: path).revoke("old") != nil)
    try addToken("old", "b")
    let present = try tokens()
    for keeps in [false, true] {
      let outcome = try restore {
        $0.replaces = true
        $0.keepsTokens = keeps
      }
      #expect(try tokens() == present && outcome.tokens == RestoredTokens())
    }
    // A backup from before there was any.
    let file = directory.file("other.db")
    _ = try DatabaseFile.open(file)
    _ = try DatabaseRestore.run(backup: file, database: path, options: options { $0.replaces = true })
    #expect(try tokens() == present)
    try checkSound()
  }

  @Test("tokens that only the backup has are revoked, or hold if that is wanted, but for a name that is taken")
  func strangers() throws {
    try addToken("ci", "a")
    try addToken("root", "b")
    let file = directory.file("other.db")
    try addToken("ci", "c", in: file)
    try addToken("web", "d", in: file)
    try execute("INSERT INTO tokens VALUES ('e', 'gone', '[]', '', 1, NULL, 2)", in: file)
    func outcome(_ change: (inout DatabaseRestore.Options) -> Void) throws -> RestoredTokens {
      try DatabaseRestore.run(
        backup: file, database: path,
        options: options {
          $0.replaces = true
          change(&$0)
        }
      ).tokens
    }
    let tried = try outcome { $0.isDryRun = true }
    #expect(tried.revoked.map(\.id) == ["c", "d"] && tried.kept == [] && !tried.mayOpenDoor)
    let keeping = try outcome {
      $0.isDryRun = true
      $0.keepsTokens = true
    }
    #expect(keeping.revoked.map(\.id) == ["c"] && keeping.kept.map(\.id) == ["d"])
    #expect(try holding() == ["a", "b"])
    #expect(try outcome { _ in } == tried)
    #expect(try holding() == ["a", "b"] && tokens().count == 5)
    // Known by now, as revoked.
    #expect(try outcome { $0.keepsTokens = true } == RestoredTokens())
    #expect(try holding() == ["a", "b"])
    try execute("DELETE FROM tokens WHERE id > 'b'")
    #expect(try outcome { $0.keepsTokens = true } == keeping)
    #expect(try Set(holding()) == ["a", "b", "d"])
    try checkSound()
  }

  @Test("a database whose tokens were cleared away stays shut")
  func clearedTokens() throws {
    try put("1", "1")
    try makeBackup()
    try addToken("old", "a")
    try execute("DELETE FROM tokens")
    _ = try restore { $0.replaces = true }
    #expect(try tokens().isEmpty && string("SELECT number > 0 FROM token_changes") == "1")
    _ = try DatabaseReset.reset(path)
    #expect(try tokens().isEmpty && string("SELECT number > 0 FROM token_changes") == "1")
    _ = try DatabaseReset.reset(path, keepsTokens: false)
    #expect(try string("SELECT number FROM token_changes") == "0")
    try checkSound()
  }

  enum Place: CaseIterable {
    case missing, empty, unreadable, withoutReadableTokens, withoutTokens, olderSchema
  }

  @Test(
    "where the database that was there does not know of a backup's tokens, they are revoked, and still keep all others out",
    arguments: Place.allCases)
  func nothingToTell(_ place: Place) throws {
    try put("1", "1")
    try addToken("root", "a")
    try makeBackup()
    try FileManager.default.removeItem(atPath: path)
    switch place {
    case .missing: break
    case .empty: try Data().write(to: URL(fileURLWithPath: path))
    case .unreadable: try Data(repeating: 0x58, count: 8_192).write(to: URL(fileURLWithPath: path))
    case .withoutReadableTokens:
      _ = try DatabaseFile.open(path)
      try execute("ALTER TABLE tokens RENAME COLUMN digest TO other")
    case .withoutTokens: _ = try DatabaseFile.open(path)
    case .olderSchema:
      let old = try Connection(path: path, access: .create)
      for migration in MigrationCatalog.migrations.prefix(2) { try old.execute(migration.sql) }
      old.close()
    }
    let tried = try restore {
      $0.replaces = true
      $0.isDryRun = true
    }
    let outcome = try restore { $0.replaces = true }
    #expect(outcome.tokens.revoked.map(\.name) == ["root"] && outcome.tokens == tried.tokens)
    #expect(try tokens().count == 1 && holding() == [])
    try checkSound()
  }

  @Test("tokens of a backup hold again where that is wanted and nothing knows better")
  func keepTokens() throws {
    try put("1", "1")
    try addToken("root", "a")
    try makeBackup()
    try FileManager.default.removeItem(atPath: path)
    #expect(try restore { $0.keepsTokens = true }.tokens.kept.map(\.name) == ["root"])
    #expect(try holding() == ["a"])
    try checkSound()
  }

  @Test("that a database without tokens takes the place of one that may have had some is told")
  func openDoor() throws {
    try put("1", "1")
    try makeBackup()
    #expect(try !restore().tokens.mayOpenDoor)
    try Data(repeating: 0x58, count: 8_192).write(to: URL(fileURLWithPath: path))
    #expect(try restore { $0.replaces = true }.tokens.mayOpenDoor)
    try FileManager.default.removeItem(atPath: path)
    #expect(try restore { $0.isDryRun = true }.tokens.mayOpenDoor)
    #expect(try restore().tokens.mayOpenDoor)
  }

  @Test(
    "a backup is refused, and its trigger named, where that has other tokens hold than are to",
    arguments: [
      "AFTER UPDATE ON tokens WHEN new.revoked_at IS NOT NULL BEGIN UPDATE tokens SET revoked_at = NULL WHERE id = new.id; END",
      "AFTER UPDATE ON tokens BEGIN UPDATE tokens SET allow = '[\"admin\", \"stats\"]' WHERE id = new.id; END",
      "AFTER UPDATE ON tokens BEGIN INSERT INTO tokens VALUES ('z', 'z', '[\"admin\"]', '', 1, NULL, NULL); END",
      "BEFORE UPDATE ON token_changes BEGIN SELECT raise(IGNORE); END",
      // Long after the tokens were put there.
      "AFTER INSERT ON properties BEGIN UPDATE tokens SET revoked_at = NULL; END",
    ])
  func tokensUndone(_ trigger: String) throws {
    // What keeps a database shut that has no token any more.
    let isOfDoor = trigger.contains("ON token_changes")
    if !isOfDoor { try addToken("old", "a") }
    try makeBackup()
    if isOfDoor { try addToken("old", "a") }
    #expect(try TokenFile.open(path: path).revoke("old") != nil)
    if isOfDoor { try execute("DELETE FROM tokens") }
    let present = try tokens()
    try execute("CREATE TRIGGER quiet AFTER DELETE ON document_rows BEGIN SELECT 1; END", in: backup)
    try execute("CREATE TRIGGER undo \(trigger)", in: backup)
    #expect(throws: CareError.tokensChanged(path: backup, triggers: ["undo"])) { try restore { $0.replaces = true } }
    #expect(try tokens() == present)
    try checkSound()
  }

  @Test("triggers that come with a backup are told, but not those of settings")
  func triggersTold() async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.change(
      TextWords.notes, to: CollectionSettings(text: [CollectionIndex.Key(name: "t").path]))
    await session.close()
    store.repository.close()
    try FileManager.default.removeItem(atPath: path)
    try execute("VACUUM INTO '\(path)'", in: store.path)
    #expect(try string("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '/notes/%'") != "0")
    try execute("CREATE TRIGGER audit AFTER INSERT ON document_rows BEGIN SELECT 1; END")
    try makeBackup()
    for isDryRun in [true, false] {
      #expect(
        try restore {
          $0.replaces = true
          $0.isDryRun = isDryRun
        }.foreignTriggers == ["audit"])
    }
  }

  @Test("a trigger of an operator's that keeps tokens from being revoked refuses the backup")
  func tokensTrigger() throws {
    try addToken("root", "a")
    try makeBackup()
    try execute("CREATE TRIGGER keep BEFORE UPDATE ON tokens BEGIN SELECT raise(ABORT, 'kept'); END", in: backup)
    try FileManager.default.removeItem(atPath: path)
    #expect(throws: CareError.refused(path: try DatabasePath(resolving: backup).file, reason: "kept")) { try restore() }
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
