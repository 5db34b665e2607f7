import DocketTestSupport
import Foundation

/// What the tests of backups do with a server and its folders.
struct BackupServer {
  let database: String
  let server: ServerProcess
  let client: AccessClient

  /// - Parameter fill: how many documents of 600,000 bytes to put into the database before it is served.
  init(_ database: String, fill: Int = 0, _ arguments: String...) throws {
    self.database = database
    if fill > 0 { try Self.fill(database, fill) }
    server = try ServerProcess(
      database: database, ["--backup-folder", Self.folder(of: database)] + arguments)
    client = try AccessClient(server)
  }

  static func folder(of database: String) -> String { (database as NSString).deletingLastPathComponent + "/backups" }

  var folder: String { Self.folder(of: database) }

  static func fill(_ database: String, _ count: Int) throws {
    if !FileManager.default.fileExists(atPath: database) { _ = try Docket.run("reset", "--database", database) }
    _ = try SQLiteCommand.run(
      database,
      """
      INSERT OR REPLACE INTO documents(collection, id, data)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
        SELECT '/large/', i, json_array(hex(randomblob(300000))) FROM n;
      """)
  }

  /// What is in the folder of backups, hidden files as well.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
  }

  /// What lies beside the database that has to do with backups.
  var besides: [String] { Self.besides(database) }

  static func besides(_ database: String) -> [String] {
    let folder = (database as NSString).deletingLastPathComponent
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.contains("fetch-") || $0.contains("partial") }
  }

  func make(_ name: String?) throws -> WatchedFrame? {
    try client.answer(Self.order(name))
  }

  /// The request for one.
  static func order(_ name: String?) -> String {
    let data = name.map { "{\"name\":\"\($0)\"}" } ?? "{}"
    return #"{"method":"POST","path":"/_backups/","data":\#(data)}"#
  }

  /// The list, as the server tells it.
  func list() throws -> String {
    try client.answer(#"{"method":"GET","path":"/_backups/"}"#)?.text ?? "nothing"
  }

  /// Waits until a backup is being made.
  func waitUntilRunning() throws {
    let other = try AccessClient(server)
    try wait("no backup began") {
      try other.answer(#"{"method":"GET","path":"/_backups/"}"#)?.text.contains(#""running": {"#) == true
    }
  }

  func wait(_ complaint: String, until isDone: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while try !isDone() {
      guard Date() < deadline else { throw ChildProcess.Failure(description: complaint) }
      usleep(2_000)
    }
  }

  /// Throws unless a file is sound.
  static func check(_ path: String) throws {
    let checked = try Docket.run("check", "--database", path)
    guard checked.ending == .exited(0) else { throw ChildProcess.Failure(description: "\(checked)") }
  }
}
