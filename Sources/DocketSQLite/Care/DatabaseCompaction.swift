import Glibc
import Migrations

/// Writes a database anew, without free pages and in order.
public enum DatabaseCompaction {
  public struct Outcome: Sendable, Equatable {
    /// Symbolic links followed.
    public let path: String
    public let bytesBefore: Int64
    public let bytesAfter: Int64
  }

  /// History and its name stay as they are. Nobody else may have the database open. It may be killed at any time: the file is
  /// the old one or the new one.
  /// - Parameters:
  ///   - progress: is told how far it is, on the caller's thread; it ends the work, with `CareError.stopped`, by returning false.
  public static func run(
    path name: String, progress: (CareProgress) -> Bool = { _ in true }
  ) throws(CareError) -> Outcome {
    try withoutActuallyEscaping(progress) { progress throws(CareError) in
      let follower = CareFollower(progress)
      return try CareError.translating(path: name) { try compact(name, follower) }
    }
  }

  private static func compact(_ name: String, _ follower: CareFollower) throws -> Outcome {
    guard access(name, F_OK) == 0 else { throw CareError.missing(path: name) }
    let database = try ExclusiveDatabase(name)
    let path = database.path
    guard let connection = database.connection, let bytesBefore = path.size else {
      try path.checkLogHasDatabase()
      throw CareError.failed(path: path.file, reason: "is empty; there is nothing to compact")
    }
    try MigrationCatalog.refuseNewer(connection, path: path.file)
    let replacement = try ReplacementFile(of: database)
    let usedPages =
      (try connection.int64("PRAGMA page_count") ?? 0) - (try connection.int64("PRAGMA freelist_count") ?? 0)
    try replacement.checkRoom(bytes: usedPages * (try connection.int64("PRAGMA page_size") ?? 4_096) + roomToSpare)
    try follower.begin("writing the file anew")
    // The copy has what is set at this moment (https://sqlite.org/lang_vacuum.html#vacuuminto). In a file that has no
    // auto_vacuum this writes nothing.
    if try connection.int64("PRAGMA auto_vacuum") == 0 { try connection.execute("PRAGMA auto_vacuum = INCREMENTAL") }
    try follower.following(connection) {
      try connection.execute("VACUUM INTO \(SQLText.literal(replacement.path))")
    }
    try ExclusiveDatabase.switchToLog(replacement.path)
    try checkAgainst(connection, replacement.path, follower)
    let former = FileReference(path.file)
    try replacement.finish(keepingFormerAs: nil)
    connection.emptyFile(ifNameless: former)
    database.wasReplaced()
    return Outcome(path: path.file, bytesBefore: Int64(bytesBefore), bytesAfter: Int64(path.size ?? 0))
  }

  /// Besides the pages themselves: some for those that fill up in another way.
  private static let roomToSpare: Int64 = 4 << 20

  /// Checks the copy, and that it holds what the file does. Faults that the file has as well are no reason not to compact it.
  private static func checkAgainst(_ connection: Connection, _ copy: String, _ follower: CareFollower) throws {
    let report = try DatabaseCheck.run(path: copy, following: follower)
    if let fault = report.findings.first(where: { $0.kind == .pages }) {
      throw CareError.failed(path: copy, reason: "the copy is damaged (\(fault.text)); nothing was changed")
    }
    let documents = try connection.int64("SELECT count(*) FROM document_rows")
    let changes = try connection.int64("SELECT count(*) FROM changes")
    let newest = try connection.int64("SELECT max(sequence) FROM changes")
    let history = try connection.string("SELECT value FROM properties WHERE name = 'history_id'")
    guard report.documents == documents, report.changes == changes, report.newestChange == newest,
      report.history == history
    else {
      throw CareError.failed(path: copy, reason: "the copy does not hold what the file does; nothing was changed")
    }
  }
}
