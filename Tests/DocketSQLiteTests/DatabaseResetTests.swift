import DocketStore
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("Emptying a database")
struct DatabaseResetTests {
  private func execute(_ path: String, _ sql: String) throws {
    let connection = try Connection(path: path, access: .create)
    defer { connection.close() }
    connection.setDefensive(false)
    try connection.execute(sql)
  }

  @Test("a reset leaves an empty database with a new history, private to its owner")
  func reset() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      try execute(path, "INSERT INTO documents(collection, id, data) VALUES ('/item/', '1', '1')")
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
      let histories = "SELECT value FROM properties WHERE name = 'history_id'"
      let before = try Connection(path: path, access: .read).string(histories)
      try DatabaseReset.reset(path)
      let connection = try Connection(path: path, access: .read)
      #expect(try connection.int64("SELECT count(*) FROM changes") == 0)
      #expect(try connection.int64("SELECT count(*) FROM document_rows") == 0)
      #expect(try connection.string(histories) != before)
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test("a reset lays a database where there was none")
  func resetOfNothing() async throws {
    try await TemporaryDatabase.use { path throws in
      try DatabaseReset.reset(path)
      #expect(try Connection(path: path, access: .read).int64("PRAGMA application_id") == 0x444F_434B)
    }
  }

  @Test("a reset refuses while anybody has the database open, in a transaction or not")
  func resetOfUsedDatabase() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      let path = try DatabasePath(resolving: path).file
      let inode = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
      let other = try Connection(path: path, access: .write)
      for statement in ["BEGIN IMMEDIATE", "ROLLBACK; BEGIN; SELECT * FROM documents", "ROLLBACK"] {
        try other.execute(statement)
        #expect(throws: CareError.opening(.inUse(path: path))) { try DatabaseReset.reset(path) }
      }
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int == inode)
      other.close()
      try DatabaseReset.reset(path)
    }
  }

  private func addTokens(_ path: String) throws -> [AccessToken] {
    let file = try TokenFile.open(path: path)
    for name in ["root", "ci"] {
      _ = try file.add(
        NewToken(
          id: name, name: name, rules: AccessRules([.admin]), digest: [UInt8](repeating: 7, count: 32), expires: nil))
    }
    _ = try file.revoke("ci")
    return try file.tokens()
  }

  @Test("tokens stay, so that no door is opened, unless they are to go as well")
  func tokens() async throws {
    try await TemporaryDatabase.use { path throws in
      let tokens = try addTokens(path)
      try execute(path, "INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '1')")
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
      let outcome = try DatabaseReset.reset(path)
      #expect(outcome.keptTokens == 2 && outcome.removedTokens == 0)
      #expect(try TokenFile.open(path: path).tokens() == tokens)
      let report = try DatabaseCheck.run(path: path)
      #expect(report.findings == [] && report.documents == 0 && report.changes == 0)
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
      let folder = (path as NSString).deletingLastPathComponent
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["docket.db"])

      #expect(try DatabaseReset.reset(path, keepsTokens: false).removedTokens == 2)
      #expect(try TokenFile.open(path: path).tokens() == [])
    }
  }

  @Test(
    "tokens that cannot be read, or a file that they cannot be taken out of, are refused; they can go with the rest")
  func unreadableTokens() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try addTokens(path)
      try execute(path, "ALTER TABLE tokens RENAME COLUMN digest TO other")
      do throws(CareError) {
        try DatabaseReset.reset(path)
        Issue.record("it was emptied")
      } catch {
        #expect(error.description.contains("--tokens"))
      }
      // It is as it was, with its log.
      let connection = try Connection(path: path, access: .write)
      #expect(try connection.string("PRAGMA journal_mode") == "wal")
      #expect(try connection.int64("SELECT count(*) FROM tokens") == 2)
      connection.close()
      let outcome = try DatabaseReset.reset(path, keepsTokens: false)
      #expect(outcome.removedTokens == nil && outcome.keptTokens == 0)
      #expect(try DatabaseCheck.run(path: path).findings == [])
    }
  }

  @Test("a file of a newer version may have tokens elsewhere, and is emptied with them only if that is wanted")
  func newer() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      try execute(path, "PRAGMA user_version = 99")
      #expect(throws: CareError.self) { try DatabaseReset.reset(path) }
      #expect(try Connection(path: path, access: .write).int64("PRAGMA user_version") == 99)
      try DatabaseReset.reset(path, keepsTokens: false)
      #expect(try DatabaseCheck.run(path: path).findings == [])
    }
  }

  @Test("a file that a dump has made, without marks, is emptied like any other")
  func dump() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try addTokens(path)
      try execute(path, "PRAGMA application_id = 0; PRAGMA user_version = 0")
      #expect(try DatabaseReset.reset(path).keptTokens == 2)
      #expect(try DatabaseCheck.run(path: path).findings == [])
    }
  }

  @Test("a journal that a killed change has left is in nobody's way", arguments: [UInt8(0), 1])
  func journal(_ byte: UInt8) async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try addTokens(path)
      try execute(path, "PRAGMA journal_mode = DELETE")
      try Data(repeating: byte, count: 600).write(to: URL(fileURLWithPath: path + "-journal"))
      #expect(try DatabaseReset.reset(path).keptTokens == 2)
      #expect(!FileManager.default.fileExists(atPath: path + "-journal"))
    }
  }
}
