import CSQLite
import Glibc
import Migrations

/// The copying of a backup, page by page.
///
/// One snapshot is copied, so that writers do not make it begin anew (https://sqlite.org/backup.html: a backup starts over when
/// another connection writes, but not as long as its source's connection is in a read transaction). Writers go on meanwhile;
/// their log cannot begin anew before the copying has ended.
struct DatabaseCopy {
  private let source: ReadableFile
  private let target: PartialFile
  private let room: BackupRoom
  private let follower: CareFollower

  /// So many pages are copied between two looks at whether to go on.
  private static let pagesOfStep: Int32 = 64
  /// What was copied is put on disk each time it is so much: the less waits, the less a writer's sync has to wait for.
  private static let pagesOfSync: Int32 = 1_024
  /// What of the copy is in memory at most.
  private static let cacheBytes = 1 << 20

  init(from source: ReadableFile, to target: PartialFile, _ follower: CareFollower) {
    self.source = source
    self.target = target
    room = target.room(besides: source.path)
    self.follower = follower
  }

  func run() throws {
    let reader = try CareError.translating(path: source.path) { try beginReading() }
    defer { reader.close() }
    try follower.begin("copying")
    let pageBytes = try CareError.translating(path: source.path) { try reader.int64("PRAGMA page_size") ?? 0 }
    try copy(reader, pageBytes: pageBytes)
    // The source has a log; the copy is to need none, so that it can be read where none can be made. These two bytes are how
    // a database says which (https://sqlite.org/fileformat2.html, "File format version numbers"); to have SQLite change
    // them would make a log beside it first, which a kill would leave behind.
    try target.overwrite([1, 1], at: 18)
  }

  /// - Returns: a connection that has the snapshot.
  private func beginReading() throws -> Connection {
    let reader = try source.connect()
    do {
      try reader.execute("BEGIN")
      // Here the snapshot begins.
      guard try Schema(of: reader).looksLikeDocket else { throw OpeningError.notDocket(path: source.path) }
      try MigrationCatalog.refuseNewer(reader, path: source.path)
      return reader
    } catch {
      reader.close()
      throw error
    }
  }

  private func copy(_ reader: Connection, pageBytes: Int64) throws {
    let pages = try CareError.translating(path: source.path) { try reader.int64("PRAGMA page_count") ?? 0 }
    try room.check(pages * pageBytes)
    let copy = try Connection(path: target.path, access: .write)
    defer { copy.close() }
    // It is synced here, and one that was cut off is of no use. A journal in a file would be left behind by a kill; none at
    // all is what SQLite refuses such a connection (https://sqlite.org/pragma.html#pragma_journal_mode, OFF).
    try copy.execute(
      "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA cache_size = -\(Self.cacheBytes >> 10)")
    guard let backup = sqlite3_backup_init(copy.handle, "main", reader.handle, "main") else {
      throw copy.error(SQLITE_ERROR, sql: nil)
    }
    do {
      try step(backup, pageBytes: pageBytes)
    } catch {
      sqlite3_backup_finish(backup)
      throw error
    }
    let end = sqlite3_backup_finish(backup)
    guard end == SQLITE_OK else { throw copy.error(end, sql: nil) }
  }

  private func step(_ backup: OpaquePointer, pageBytes: Int64) throws {
    var unsynced: Int32 = 0
    while true {
      let code = sqlite3_backup_step(backup, Self.pagesOfStep)
      let cause = errno
      if code == SQLITE_DONE { return }
      let total = Int64(sqlite3_backup_pagecount(backup))
      let left = Int64(sqlite3_backup_remaining(backup))
      guard code == SQLITE_OK else {
        throw Self.shortage(code, cause).flatMap {
          room.shortage($0, needed: total * pageBytes, written: target.bytes)
        } ?? SQLiteError(extendedCode: code, message: String(cString: sqlite3_errstr(code)))
      }
      unsynced += Self.pagesOfStep
      if unsynced >= Self.pagesOfSync {
        unsynced = 0
        try target.sync()
        try room.check(left * pageBytes)
      }
      try follower.report(total - left, of: total)
    }
  }

  /// What the system said to a write that SQLite failed at for want of room. For a full disk it has a code of its own, for
  /// what else bounds a file (RLIMIT_FSIZE, quotas) it has none.
  private static func shortage(_ code: Int32, _ cause: Int32) -> Int32? {
    switch code & 0xff {
    case SQLITE_FULL: ENOSPC
    case SQLITE_IOERR: cause
    default: nil
    }
  }
}
