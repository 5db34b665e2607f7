import CSQLite
import DocketTestSupport
import Foundation
import Migrations
import NIOConcurrencyHelpers
import Testing

@testable import DocketSQLite

@Suite("Opening a database file")
struct OpeningTests {
  func execute(_ path: String, _ sql: String) throws {
    let connection = try Connection(path: path, access: .create)
    defer { connection.close() }
    try connection.execute(sql)
  }

  @Test("a file that is not SQLite's is refused and left alone")
  func notADatabase() async throws {
    try await TemporaryDatabase.use { path throws in
      let path = try DatabasePath(resolving: path).file + ".txt"
      let contents = Data("This is a letter, and longer than a header of SQLite, which has 100 bytes. ".utf8)
      try (contents + contents).write(to: URL(fileURLWithPath: path))
      #expect(throws: OpeningError.notADatabase(path: path)) { try DatabaseFile.open(path) }
      #expect(throws: CareError.opening(.notADatabase(path: path))) { try DatabaseReset.reset(path) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == contents + contents)
    }
  }

  @Test(
    "another program's database is refused and left alone",
    arguments: ["CREATE TABLE t(x)", "PRAGMA user_version = 1", "PRAGMA application_id = 7; CREATE TABLE t(x)"])
  func foreignDatabase(statement: String) async throws {
    try await TemporaryDatabase.use { path throws in
      let path = try DatabasePath(resolving: path).file
      try execute(path, statement)
      let contents = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(throws: OpeningError.notDocket(path: path)) { try DatabaseFile.open(path) }
      #expect(throws: CareError.opening(.notDocket(path: path))) { try DatabaseReset.reset(path) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == contents)
    }
  }

  @Test("a full disk is told, also where SQLite calls it an error of the disk, and is no damage of the file")
  func fullDisk() {
    for code in [SQLITE_FULL, SQLITE_IOERR | (19 << 8)] {
      do throws(OpeningError) {
        try OpeningError.translating(path: "x.db") { throw SQLiteError(extendedCode: code, message: "disk I/O error") }
        Issue.record("it was opened")
      } catch {
        #expect(error == .noRoom(path: "x.db") && error.defect == nil)
      }
    }
  }

  @Test("directories, devices and files in directories that do not exist are refused")
  func otherPlaces() async throws {
    try await TemporaryDatabase.use { path throws in
      let path = try DatabasePath(resolving: path).file
      let directory = (path as NSString).deletingLastPathComponent
      #expect(throws: OpeningError.isDirectory(path: directory)) { try DatabaseFile.open(directory) }
      #expect(throws: OpeningError.directoryMissing(path: path + "/no/x", directory: path + "/no")) {
        try DatabaseFile.open(path + "/no/x")
      }
      #expect(throws: OpeningError.notRegularFile(path: "/dev/null")) { try DatabaseFile.open("/dev/null") }
    }
  }

  @Test("a file that may not be written is refused", .enabled(if: geteuid() != 0, "root may write everything"))
  func readOnlyFile() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      let path = try DatabasePath(resolving: path).file
      try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
      #expect(throws: OpeningError.notAccessible(path: path, reason: "Permission denied")) {
        try DatabaseFile.open(path)
      }
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
  }

  @Test("a second server is told who serves the file, by whatever name it comes")
  func secondServer() async throws {
    try await TemporaryDatabase.use { path throws in
      let path = try DatabasePath(resolving: path).file
      let link = path + ".link"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "docket.db")
      // The link leads nowhere yet: the file is made where it points.
      let first = try DatabaseFile.open(link)
      #expect(first.path == path)
      for name in [path, link] {
        #expect(throws: OpeningError.alreadyServed(path: path, process: getpid())) { try DatabaseFile.open(name) }
        #expect(throws: CareError.opening(.alreadyServed(path: path, process: getpid()))) {
          try DatabaseReset.reset(name)
        }
      }
      withExtendedLifetime(first) {}
    }
  }

  @Test("a file with hard links is refused by whatever writes, and read by whatever reads")
  func hardLink() async throws {
    try await TemporaryDatabase.use { path throws in
      let path = try DatabasePath(resolving: path).file
      _ = try DatabaseFile.open(path)
      let (other, backup) = (path + ".link", path + ".backup")
      try FileManager.default.linkItem(atPath: path, toPath: other)
      for name in [path, other] {
        let refusal = OpeningError.hardLinked(path: name, names: 2)
        #expect(refusal.description.contains("cp -p '\(name)' '\(name).copy' && mv '\(name).copy' '\(name)'"))
        _ = try DatabaseBackup.run(name, to: backup)
        #expect(try DatabaseCheck.run(path: name).isSound)
        #expect(throws: refusal) { try DatabaseFile.open(name) }
        #expect(throws: refusal) { try TokenFile.open(path: name) }
        #expect(throws: CareError.opening(refusal)) { try DatabaseReset.reset(name) }
        #expect(throws: CareError.opening(refusal)) { try DatabaseCompaction.run(path: name) }
        #expect(throws: CareError.opening(refusal)) { try DatabaseRestore.run(backup: backup, database: name) }
        try FileManager.default.removeItem(atPath: backup)
      }
      try FileManager.default.removeItem(atPath: other)
      _ = try DatabaseFile.open(path)
    }
  }

  @Test("a database that is gone is not made anew beside its log, of which nothing is lost; without the log it is")
  func logWithoutDatabase() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      let writer = try Connection(path: path, access: .write)
      try writer.execute("PRAGMA wal_autocheckpoint = 0; CREATE TABLE mine(a)")
      let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
      try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
      for makesEmpty in [false, true] {
        if makesEmpty { #expect(FileManager.default.createFile(atPath: path, contents: Data())) }
        let error = #expect(throws: OpeningError.self) { try DatabaseFile.open(path) }
        guard case .logWithoutDatabase? = error else { throw TestFailure(what: "\(String(describing: error))") }
        #expect(throws: OpeningError.self) { try TokenFile.open(path: path) }
        let refusal = #expect(throws: CareError.self) { try DatabaseReset.reset(path) }
        guard case .opening(.logWithoutDatabase)? = refusal else { throw TestFailure(what: "a reset beside the log") }
        guard makesEmpty else { continue }
        let compaction = #expect(throws: CareError.self) { try DatabaseCompaction.run(path: path) }
        let check = #expect(throws: CareError.self) { try DatabaseCheck.run(path: path) }
        for error in [compaction, check] {
          guard case .opening(.logWithoutDatabase)? = error else { throw TestFailure(what: "beside an empty file") }
        }
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path + "-wal")) == log)
      writer.abandon()
      try FileManager.default.moveItem(atPath: path + "-wal", toPath: path + "-wal.old")
      #expect(try DatabaseFile.open(path).isNew)
    }
  }

  @Test(
    "what is refused is left as it was, with its log: a damaged database, another program's", arguments: [true, false])
  func refusedWithLog(isDamaged: Bool) async throws {
    try await TemporaryDatabase.use { path throws in
      if isDamaged { _ = try DatabaseFile.open(path) } else { try execute(path, "PRAGMA journal_mode = WAL") }
      let writer = try Connection(path: path, access: .write)
      defer { writer.close() }
      try writer.execute("PRAGMA wal_autocheckpoint = 0")
      try writer.execute(
        isDamaged
          ? "INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', json_quote(hex(zeroblob(20000))))"
          : "CREATE TABLE mine(a)")
      let copy = path + ".copy"
      var contents = try Data(contentsOf: URL(fileURLWithPath: path))
      let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
      if isDamaged { contents = contents.prefix(contents.count / 2) }
      try contents.write(to: URL(fileURLWithPath: copy))
      try log.write(to: URL(fileURLWithPath: copy + "-wal"))
      func checkLeft(_ command: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(throws: (any Error).self, sourceLocation: sourceLocation) { try command() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == contents, sourceLocation: sourceLocation)
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy + "-wal")) == log, sourceLocation: sourceLocation)
      }
      try checkLeft { _ = try DatabaseFile.open(copy) }
      try checkLeft { _ = try TokenFile.open(path: copy) }
      try checkLeft { _ = try DatabaseReset.reset(copy) }
      try checkLeft { _ = try DatabaseCompaction.run(path: copy) }
      try checkLeft { _ = try DatabaseRestore.run(backup: path, database: copy) }
    }
  }

  private struct TestFailure: Error { let what: String }

  @Test("a file is emptied past SQLite once it has no name, and only then")
  func emptied() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      let other = path + ".link"
      let connection = try Connection(path: path, access: .write)
      defer { connection.close() }
      let file = try #require(FileReference(path))
      #expect(try connection.int64("SELECT count(*) FROM documents") == 0)
      try FileManager.default.linkItem(atPath: path, toPath: other)
      unlink(path)
      connection.emptyFile(ifNameless: file)
      #expect(try #require(file.status).st_size > 0)
      unlink(other)
      connection.emptyFile(ifNameless: file)
      #expect(try #require(file.status).st_size == 0)
    }
  }

  @Test("a server waits for a lock that is held for a moment, as by a command that makes the file")
  func lockIsWaitedFor() async throws {
    try await TemporaryDatabase.use { path throws in
      let held = NIOLockedValueBox<DatabaseLock?>(try DatabaseLock(on: DatabasePath(resolving: path)))
      Thread.detachNewThread {
        usleep(50_000)
        held.withLockedValue { $0 = nil }
      }
      let file = try DatabaseFile.open(
        path, lockTimeoutMilliseconds: 600_000, migrations: MigrationCatalog.migrations)
      #expect(held.withLockedValue { $0 } == nil && file.isNew)
    }
  }

  @Test(
    "what root makes beside a database is its owner's, or its folder's owner's where there is none yet",
    .enabled(if: geteuid() == 0, "only root may give files away"))
  func ownersFiles() throws {
    let directory = try TemporaryDirectory()
    let path = try DatabasePath(resolving: directory.file("docket.db"))
    func owner(_ file: String) -> [UInt32] {
      var status = stat()
      return lstat(file, &status) == 0 ? [status.st_uid, status.st_gid, status.st_mode & 0o777] : []
    }
    #expect(chown(path.folder, 12, 34) == 0)
    for exists in [false, true] {
      if exists {
        try Data().write(to: URL(fileURLWithPath: path.file))
        #expect(chmod(path.file, 0o640) == 0 && chown(path.file, 56, 78) == 0)
      }
      let lock = try DatabaseLock(on: path)
      let replacement = try ReplacementFile(of: path, heldBy: lock)
      let expected: [UInt32] = exists ? [56, 78] : [12, 34]
      #expect(owner(path.lock) == expected + [0o600])
      #expect(owner(replacement.path) == expected + [exists ? 0o640 : 0o600])
      withExtendedLifetime(lock) {}
    }
    // One that has been left by an earlier version as well, but none that is a file of root's elsewhere.
    try Data().write(to: URL(fileURLWithPath: path.lock))
    do {
      let lock = try DatabaseLock(on: path)
      #expect(owner(path.lock).first == 56)
      withExtendedLifetime(lock) {}
    }
    let other = directory.file("other")
    try Data().write(to: URL(fileURLWithPath: other))
    #expect(link(other, path.lock) == 0)
    let lock = try DatabaseLock(on: path)
    #expect(owner(other).first == 0)
    withExtendedLifetime(lock) {}
  }

  @Test("a lock goes with its server, and a lock file that was left behind means nothing")
  func lockIsReleased() async throws {
    try await TemporaryDatabase.use { path throws in
      try Data("1\n".utf8).write(to: URL(fileURLWithPath: path + ".lock"))
      for _ in 0..<2 {
        let file = try DatabaseFile.open(path)
        #expect(FileManager.default.fileExists(atPath: file.path + ".lock"))
      }
      #expect(!FileManager.default.fileExists(atPath: path + ".lock"))
    }
  }

  @Test("where another process holds the write lock, opening waits its time and says so")
  func busy() async throws {
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      try execute(path, "DELETE FROM migrations")
      let other = try Connection(path: path, access: .write)
      try other.execute("BEGIN IMMEDIATE")
      let path = try DatabasePath(resolving: path).file
      #expect(throws: OpeningError.busy(path: path)) { try DatabaseFile.open(path, busyTimeoutMilliseconds: 1) }
      try other.execute("ROLLBACK")
      #expect(try DatabaseFile.open(path).recordedMigrations == Array(1...MigrationCatalog.currentVersion))
    }
  }

  @Test("network file systems are known by their type in the table of mounts")
  func fileSystems() {
    let table = """
      22 27 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
      27 0 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
      90 27 0:51 / /srv/share rw shared:40 master:2 - nfs4 10.0.0.1:/srv rw
      91 27 0:52 / /srv/ssh rw - fuse.sshfs me@host: rw
      """
    #expect(FileSystem.type(ofDevice: "254:1", mountTable: table) == "ext4")
    #expect(FileSystem.type(ofDevice: "0:51", mountTable: table) == "nfs4")
    #expect(FileSystem.type(ofDevice: "0:52", mountTable: table) == "fuse.sshfs")
    #expect(FileSystem.type(ofDevice: "0:5", mountTable: table) == nil)
    #expect(FileSystem.networkTypes.isSuperset(of: ["nfs4", "cifs", "smb3", "fuse.sshfs"]))
    #expect(FileSystem.networkTypes.isDisjoint(with: ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "9p"]))
    #expect(FileSystem.networkType(at: "/proc") == nil)
  }

  @Test("every error is one line that begins with the path")
  func descriptions() {
    let path = "/var/lib/it's/docket.db"
    let errors: [OpeningError] = [
      .directoryMissing(path: path, directory: "/x"), .isDirectory(path: path), .notRegularFile(path: path),
      .notAccessible(path: path, reason: "Permission denied"), .networkFileSystem(path: path, type: "nfs4"),
      .alreadyServed(path: path, process: 7), .alreadyServed(path: path, process: nil), .inUse(path: path),
      .busy(path: path), .notADatabase(path: path), .notDocket(path: path), .marksMissing(path: path, version: 1),
      .newer(path: path, version: 3, supported: 2), .versionLowered(path: path, version: 1, recorded: 2),
      .migrationAltered(path: path, version: 1, name: "documents"),
      .schemaAltered(path: path, objects: ["view documents is altered"]), .failed(path: path, reason: "disk I/O error"),
      .servedByAnother(path: path, version: 5, ours: 6), .logWithoutDatabase(path: path),
    ]
    for error in errors {
      #expect(error.description.hasPrefix(path + ": "))
      #expect(!error.description.contains("\n"))
    }
    #expect(errors[5].description.contains("process 7"))
    #expect(errors[11].description.contains("'/var/lib/it'\\''s/docket.db'"))
  }
}
