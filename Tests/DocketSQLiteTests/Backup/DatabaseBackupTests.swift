import DocketStore
import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("Copying a database")
struct DatabaseBackupTests {
  private let fixture: BackupFixture

  init() throws {
    fixture = try BackupFixture()
  }

  private static let fileMode = FileAttributeKey.posixPermissions

  @Test("a backup holds what was committed when it began, while others write, and needs no file beside it")
  func snapshot() throws {
    try fixture.fill(3_000)
    let writer = try Connection(path: fixture.path, access: .write)
    try writer.execute("BEGIN IMMEDIATE; DELETE FROM documents WHERE id = '1'")
    var isFirst = true
    let outcome = try fixture.backUp(
      "monday.db",
      progress: { progress in
        // The copying has begun: what is committed from here on is not in it.
        guard progress.step == "copying", isFirst else { return true }
        isFirst = false
        try? writer.execute("COMMIT; INSERT INTO documents(collection, id, data) VALUES ('/b/', '1', '1')")
        return true
      })
    #expect(!isFirst && outcome.revision == Revision(3_000) && outcome.report.documents == 3_000)
    #expect(try fixture.string("SELECT count(*) FROM documents") == "3000")
    writer.close()
    let copy = fixture.file("monday.db")
    #expect(try fixture.names == ["monday.db"])
    #expect(try FileManager.default.attributesOfItem(atPath: copy)[Self.fileMode] as? Int == 0o600)
    #expect(try FileManager.default.attributesOfItem(atPath: copy)[.size] as? Int64 == outcome.bytes)
    #expect(try DatabaseCheck.run(path: copy).findings == [])
    #expect(try fixture.string("PRAGMA journal_mode", in: copy) == "delete")
    #expect(try fixture.string("SELECT count(*) FROM documents WHERE collection = '/b/'", in: copy) == "0")
    #expect(try fixture.names == ["monday.db"])
    // And it is a database like any other.
    #expect(try DatabaseFile.open(copy).appliedMigrations == [])
  }

  @Test("what has a backup's place already stays as it is, unless it is to be replaced")
  func places() throws {
    try fixture.fill(1)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: fixture.file("mine")))
    let dangling = fixture.file("dangling")
    try FileManager.default.createSymbolicLink(atPath: dangling, withDestinationPath: fixture.file("nowhere"))
    for name in ["mine", "dangling"] {
      #expect(throws: BackupError.exists(path: fixture.file(name))) { try fixture.backUp(name) }
    }
    #expect(try fixture.names == ["dangling", "mine"])
    #expect(try String(contentsOfFile: fixture.file("mine"), encoding: .utf8) == "mine")
    for name in ["mine", "dangling"] {
      try fixture.backUp(name) { $0.replaces = true }
      #expect(try DatabaseCheck.run(path: fixture.file(name)).isSound)
    }
    #expect(try fixture.names == ["dangling", "mine"])
  }

  @Test("a backup takes the place neither of the database, whatever it is called, nor of files of SQLite's")
  func database() throws {
    try fixture.fill(1)
    try FileManager.default.createSymbolicLink(atPath: fixture.file("soft"), withDestinationPath: fixture.path)
    try FileManager.default.linkItem(atPath: fixture.path, toPath: fixture.file("hard"))
    for name in ["soft", "hard", "../docket.db"] {
      #expect(throws: BackupError.sameFile(path: fixture.file(name))) {
        try fixture.backUp(name) { $0.replaces = true }
      }
    }
    for suffix in ["-wal", "-shm", "-journal"] {
      try Data("log".utf8).write(to: URL(fileURLWithPath: fixture.file("a.db\(suffix)")))
      #expect(throws: BackupError.companion(path: fixture.file("a.db"), other: fixture.file("a.db\(suffix)"))) {
        try fixture.backUp("a.db") { $0.replaces = true }
      }
      try FileManager.default.removeItem(atPath: fixture.file("a.db\(suffix)"))
    }
    try fixture.backUp("a.db")
    #expect(throws: BackupError.companion(path: fixture.file("a.db-wal"), other: fixture.file("a.db"))) {
      try fixture.backUp("a.db-wal")
    }
    #expect(try fixture.names == ["a.db", "hard", "soft"])
  }

  @Test("there is no backup of what is no database of Docket's, and none where none can be")
  func refusals() throws {
    let other = fixture.directory.file("other.db")
    let connection = try Connection(path: other, access: .create)
    try connection.execute("CREATE TABLE t(x)")
    connection.close()
    let newer = fixture.directory.file("newer.db")
    _ = try DatabaseFile.open(newer)
    let marks = try Connection(path: newer, access: .write)
    try marks.execute("PRAGMA user_version = 99")
    marks.close()
    let target = fixture.file("x.db")
    let path = try DatabasePath(resolving: newer).file
    #expect(throws: BackupError.failed(.opening(.newer(path: path, version: 99, supported: 6)))) {
      try DatabaseBackup.run(newer, to: target)
    }
    #expect(throws: BackupError.failed(.opening(.notDocket(path: try DatabasePath(resolving: other).file)))) {
      try DatabaseBackup.run(other, to: target)
    }
    #expect(throws: BackupError.failed(.missing(path: other + ".none"))) {
      try DatabaseBackup.run(other + ".none", to: target)
    }
    #expect(throws: BackupError.self) { try fixture.backUp("none/x.db") }
    #expect(try fixture.names == [])
  }

  @Test("wherever it is stopped, nothing of it is left")
  func stopped() throws {
    try fixture.fill(2_000, bytes: 1_000)
    var steps = 0
    try fixture.backUp(
      "whole.db",
      progress: { _ in
        steps += 1
        return true
      })
    #expect(steps > 20)
    for last in 1...steps {
      var count = 0
      #expect(throws: BackupError.stopped) {
        try fixture.backUp(
          "x.db",
          progress: { _ in
            count += 1
            return count < last
          })
      }
    }
    #expect(try fixture.names == ["whole.db"])
  }

  @Test("the check of a large file's pages ends when it is interrupted, though nobody could be asked meanwhile")
  func interruption() throws {
    try fixture.fill(20_000)
    let interruption = Interruption()
    var isInside = false
    #expect(throws: BackupError.stopped) {
      _ = try DatabaseBackup.run(
        fixture.path, to: fixture.file("x.db"), options: DatabaseBackup.Options(), interruption: interruption
      ) { progress in
        guard progress.step == "reading pages" else { return true }
        // The first report is from before the check.
        if isInside { interruption.interrupt() }
        isInside = true
        return true
      }
    }
    #expect(try fixture.names == [])
    // Where nothing runs there is nothing to interrupt.
    interruption.interrupt()
  }

  // MARK: What others have left

  @Test("what a dead process has left is removed, and what a living one writes is not")
  func leftovers() throws {
    try fixture.fill(1)
    for name in [".x.db.docket-partial", ".other.db.docket-partial"] {
      try Data("half".utf8).write(to: URL(fileURLWithPath: fixture.file(name)))
    }
    try fixture.backUp("x.db")
    #expect(try fixture.names == ["x.db"])

    let partial = try PartialFile(of: fixture.file("y.db"), besides: fixture.path)
    #expect(throws: BackupError.inTheMaking(path: fixture.file("y.db"), partial: partial.path)) {
      try fixture.backUp("y.db")
    }
    try fixture.backUp("z.db")
    #expect(try fixture.names == [".y.db.docket-partial", "x.db", "z.db"])
    withExtendedLifetime(partial) {}
  }

  @Test("what only has the name of a part that was left is not opened, written to or removed")
  func planted() throws {
    try fixture.fill(1)
    let victim = fixture.directory.file("victim")
    try Data("victim".utf8).write(to: URL(fileURLWithPath: victim))
    try FileManager.default.createSymbolicLink(
      atPath: fixture.file(".soft.db.docket-partial"), withDestinationPath: victim)
    try FileManager.default.createDirectory(
      atPath: fixture.file(".folder.db.docket-partial"), withIntermediateDirectories: true)
    #expect(mkfifo(fixture.file(".pipe.db.docket-partial"), 0o600) == 0)
    let before = try fixture.names
    for name in ["soft.db", "folder.db", "pipe.db"] {
      #expect(
        throws: BackupError.inTheMaking(path: fixture.file(name), partial: fixture.file(".\(name).docket-partial"))
      ) { try fixture.backUp(name) }
    }
    #expect(try fixture.names == before)
    #expect(try String(contentsOfFile: victim, encoding: .utf8) == "victim")
    try fixture.backUp("x.db")
  }

  // MARK: Faults and room

  @Test("a database with faults is copied only if that is wanted, and the refusal says how")
  func faults() throws {
    try fixture.fill(3)
    try fixture.execute("UPDATE document_rows SET data = '{' WHERE id IN ('1', '2')")
    do {
      try fixture.backUp("x.db")
      Issue.record("a backup was made")
    } catch let error as BackupError {
      guard case .faulty(_, let fault, 2) = error else { throw error }
      #expect(fault.hasPrefix("data: /a/1"))
      #expect(error.description.contains("docket check") && error.description.contains("--accept-faults"))
    }
    #expect(try fixture.names == [])
    #expect(try fixture.backUp("x.db") { $0.acceptsFaults = true }.report.faults == 2)
    #expect(try fixture.string("SELECT count(*) FROM document_rows WHERE data = '{'", in: fixture.file("x.db")) == "2")
  }

  @Test("on the database's own disk, room for its log is left; what is needed is told before anything is written")
  func room() throws {
    let target = fixture.file("x.db")
    let elsewhere = BackupRoom(for: target, in: fixture.folder)
    try elsewhere.check(1)
    let beside = BackupRoom(for: target, in: fixture.folder, besides: fixture.path)
    for (room, spare) in [(elsewhere, 0), (beside, BackupRoom.databaseSpareBytes)] {
      do {
        try room.check(1 << 60)
        Issue.record("there is room for everything")
      } catch {
        guard case .noRoom(target, let needed, let free) = error else { throw error }
        #expect(needed == 1 << 60 + spare && free > 0)
      }
    }
  }

  @Test(
    "where the disk is full, or gets full on the way, nothing is left, and it is told how much is needed",
    .enabled(if: SmallDisk.isThere, "\(SmallDisk.hindrance ?? "")"), arguments: [false, true])
  func fullDisk(onTheWay: Bool) throws {
    try fixture.fill(2_000, bytes: 2_000)
    let bytes = try #require(
      try FileManager.default.attributesOfItem(atPath: fixture.path)[.size] as? Int64)
    try SmallDisk.use(mebibytes: onTheWay ? 16 : 2, in: fixture.directory.path) { disk in
      var isFilled = false
      do {
        _ = try DatabaseBackup.run(fixture.path, to: disk.path + "/x.db") { _ in
          if onTheWay, !isFilled {
            isFilled = true
            try? disk.fill()
          }
          return true
        }
        Issue.record("a backup was made")
      } catch let error as BackupError {
        guard case .noRoom(_, let needed, let free) = error else { throw error }
        #expect(needed > free)
        if !onTheWay { #expect(needed >= bytes && free <= 2 << 20) }
      }
      #expect(try disk.names == (onTheWay ? ["filler"] : []))
    }
  }
}
