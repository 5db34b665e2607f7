import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

/// A database file that nobody serves, in a folder of its own, and a folder for its backups.
struct BackupFixture {
  let directory: TemporaryDirectory
  let path: String
  let folder: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("docket.db")
    folder = directory.file("backups")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = try DatabaseFile.open(path)
  }

  func file(_ name: String) -> String { "\(folder)/\(name)" }

  /// What is in the folder of backups, hidden files as well, in order.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
  }

  func execute(_ sql: String, in file: String? = nil) throws {
    let connection = try Connection(path: file ?? path, access: .write)
    defer { connection.close() }
    connection.setBusyTimeout(milliseconds: 5_000)
    try connection.execute(sql)
  }

  func string(_ sql: String, in file: String? = nil) throws -> String? {
    let connection = try Connection(path: file ?? path, access: .write)
    defer { connection.close() }
    return try connection.string(sql)
  }

  /// Writes documents with the ids 1, 2, 3 and so on.
  func fill(_ count: Int, bytes: Int = 100) throws {
    try execute(
      """
      INSERT OR REPLACE INTO documents(collection, id, data)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
        SELECT '/a/', i, json_array(i, hex(randomblob(\(bytes / 2)))) FROM n
      """)
  }

  @discardableResult
  func backUp(
    _ name: String, _ change: (inout DatabaseBackup.Options) -> Void = { _ in },
    progress: (CareProgress) -> Bool = { _ in true }
  ) throws -> DatabaseBackup.Outcome {
    var options = DatabaseBackup.Options()
    options.restPerWork = 0
    change(&options)
    return try DatabaseBackup.run(path, to: file(name), options: options, progress: progress)
  }

  /// The name of the history.
  var history: String {
    get throws { try #require(try string("SELECT value FROM properties WHERE name = 'history_id'")) }
  }

  /// Puts a backup into a folder, this one's unless another is named; the same one under each name.
  func plant(_ name: String, in folder: String? = nil) throws {
    let planted = directory.file("planted.db")
    if !FileManager.default.fileExists(atPath: planted) {
      var options = DatabaseBackup.Options()
      options.restPerWork = 0
      _ = try DatabaseBackup.run(path, to: planted, options: options)
    }
    try FileManager.default.copyItem(atPath: planted, toPath: "\(folder ?? self.folder)/\(name)")
  }

  /// Puts a file into the folder that looks like a backup as far as its header goes.
  func plantHeader(_ name: String) throws {
    var header = Data("SQLite format 3\0".utf8) + Data(repeating: 0, count: 1_000)
    header[18] = 1
    header[19] = 1
    header.replaceSubrange(68..<72, with: Data("DOCK".utf8))
    try header.write(to: URL(fileURLWithPath: file(name)))
  }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }
}

/// A small file system of its own, which can be filled.
struct SmallDisk {
  let path: String

  /// Why there can be none here; nil: there can.
  static let hindrance: String? = {
    guard geteuid() == 0 else { return "only root may mount a file system, and this is not root" }
    let trial = FileManager.default.temporaryDirectory.appendingPathComponent("docket-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: trial) }
    do {
      try FileManager.default.createDirectory(atPath: trial, withIntermediateDirectories: true)
      let mounted = try SQLiteCommand.shell("mount -t tmpfs -o size=1m tmpfs '\(trial)' && umount '\(trial)'", in: "/")
      return mounted.status == 0 ? nil : "no file system can be mounted here: \(mounted.error)"
    } catch {
      return "\(error)"
    }
  }()

  static let isThere = hindrance == nil

  /// Calls `body` with a disk of so many MiB, and takes it away again.
  static func use<Result>(mebibytes: Int, in folder: String, _ body: (SmallDisk) throws -> Result) throws -> Result {
    let path = folder + "/disk"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let mounted = try SQLiteCommand.shell("mount -t tmpfs -o size=\(mebibytes)m tmpfs '\(path)'", in: "/")
    try #require(mounted.status == 0, "\(mounted)")
    defer { _ = try? SQLiteCommand.shell("umount '\(path)'", in: "/") }
    return try body(SmallDisk(path: path))
  }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  /// Leaves no room.
  func fill() throws {
    _ = try SQLiteCommand.shell("cat /dev/zero > '\(path)/filler' 2> /dev/null", in: "/")
  }
}
