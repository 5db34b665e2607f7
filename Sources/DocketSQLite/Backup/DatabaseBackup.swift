import CSQLite
import DocketStore
import Glibc

/// Copies a database, also while it is served, into a file that needs no other beside it.
///
/// One snapshot is copied, so that writers do not make it begin anew (https://sqlite.org/backup.html: a backup starts over when
/// another connection writes, but not as long as its source's connection is in a read transaction). Writers go on meanwhile;
/// their log cannot begin anew before the copying has ended.
public enum DatabaseBackup {
  public struct Outcome: Sendable, Equatable {
    /// Symbolic links followed.
    public let source: String
    public let bytes: Int64
    public let report: DatabaseCheck.Report

    /// The newest change in it.
    public var revision: Revision { Revision(report.newestChange ?? 0) }
  }

  /// Copies, checks, and puts on disk: whole, or not at all, whenever it is interrupted.
  /// - Parameters:
  ///   - source: the database, which is only read.
  ///   - target: the file to be made, in a folder that is there.
  ///   - replaces: whether it may take the place of a file.
  ///   - restPerWork: for each part of time that it works so many parts of rest.
  ///   - progress: is told how far it is, on the caller's thread; it ends the work, with `CareError.stopped`, by returning false.
  public static func run(
    _ source: String, to target: String, replaces: Bool = false, restPerWork: Double = 1,
    progress: (CareProgress) -> Bool = { _ in true }
  ) throws(CareError) -> Outcome {
    if !replaces, access(target, F_OK) == 0 { throw .exists(path: target) }
    let pace = BackupPace(restPerWork: restPerWork)
    return try withoutActuallyEscaping(progress) { progress throws(CareError) in
      let follower = CareFollower { report in
        pace.rest()
        return progress(report)
      }
      let source = try ReadableFile(source)
      // What is wrong from here on is the target's, a full disk say.
      return try CareError.translating(path: target) {
        let file = try PartialFile(of: target)
        try copy(source, to: file, follower)
        let report = try DatabaseCheck.run(path: file.path, following: follower)
        if let fault = report.findings.first(where: { $0.kind.isFault }) {
          throw CareError.failed(
            path: source.path,
            reason:
              "is not sound, so there is no backup of it: \(fault.kind.rawValue): \(fault.text); docket check names all"
          )
        }
        var status = stat()
        stat(file.path, &status)
        try file.finish(replacing: replaces)
        return Outcome(source: source.path, bytes: Int64(status.st_size), report: report)
      }
    }
  }

  /// So many pages are copied between two looks at whether to go on.
  private static let pagesOfStep: Int32 = 64
  /// What was copied is put on disk each time it is so much: the less waits, the less a writer's sync has to wait for.
  private static let pagesOfSync: Int32 = 1_024
  /// What of the copy is in memory at most.
  private static let cacheBytes = 1 << 20

  private static func copy(_ file: ReadableFile, to target: PartialFile, _ follower: CareFollower) throws {
    let source = try CareError.translating(path: file.path) { try file.connect() }
    defer { source.close() }
    try source.execute("BEGIN")
    // Here the snapshot begins.
    guard try Schema(of: source).looksLikeDocket else { throw OpeningError.notDocket(path: file.path) }
    try follower.begin("copying")
    do {
      let copy = try Connection(path: target.path, access: .write)
      defer { copy.close() }
      // It is synced here, and one that was cut off is of no use.
      try copy.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -\(cacheBytes >> 10)")
      guard let backup = sqlite3_backup_init(copy.handle, "main", source.handle, "main") else {
        throw copy.error(SQLITE_ERROR, sql: nil)
      }
      do {
        try step(backup, target, follower)
      } catch {
        sqlite3_backup_finish(backup)
        throw error
      }
      let end = sqlite3_backup_finish(backup)
      guard end == SQLITE_OK else { throw copy.error(end, sql: nil) }
    }
    // The source has a log; the copy is to need none, so that it can be read where none can be made.
    let copy = try Connection(path: target.path, access: .write)
    defer { copy.close() }
    try copy.execute("PRAGMA synchronous = OFF")
    _ = try copy.string("PRAGMA journal_mode = DELETE")
  }

  private static func step(_ backup: OpaquePointer, _ target: PartialFile, _ follower: CareFollower) throws {
    var unsynced: Int32 = 0
    while true {
      let code = sqlite3_backup_step(backup, pagesOfStep)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_OK else {
        throw SQLiteError(extendedCode: code, message: String(cString: sqlite3_errstr(code)))
      }
      unsynced += pagesOfStep
      if unsynced >= pagesOfSync {
        unsynced = 0
        try target.sync()
      }
      let total = Int64(sqlite3_backup_pagecount(backup))
      try follower.report(total - Int64(sqlite3_backup_remaining(backup)), of: total)
    }
  }
}
