import CSQLite
import DocketStore
import Glibc
import Migrations

/// Puts a backup in the place of a database, or makes a database's documents what they were.
public enum DatabaseRestore {
  public struct Options: Sendable {
    /// Also over a database that holds what the backup lacks; it is put aside.
    public var replaces = false
    /// Also where the check finds faults in the backup.
    public var acceptsFaults = false
    /// Lets tokens hold that only the backup has. They may have been revoked since it was made.
    public var keepsTokens = false
    /// Only tells what would happen.
    public var isDryRun = false
    /// Of which moment the documents are to be; nil: as the backup has them.
    public var moment: PastMomentChoice?

    public init() {}
  }

  public struct Outcome: Sendable, Equatable {
    /// Symbolic links followed.
    public let path: String
    /// What it holds.
    public internal(set) var documents: Int64 = 0
    public internal(set) var changes: Int64 = 0
    /// What was given back that the backup lacked, in words.
    public internal(set) var mended: [String] = []
    /// The version of the backup's schema, where that was an older one.
    public internal(set) var olderVersion: Int?
    /// Where the file is that it has replaced.
    public internal(set) var kept: String?
    /// Where a log is that was left of a database which is not there.
    public internal(set) var keptLog: String?
    /// How many faults were found and accepted.
    public internal(set) var faults = 0
    public internal(set) var tokens = RestoredTokens()
    /// The names of the backup's triggers that are not Docket's. They run within writes, a server's as well.
    public internal(set) var foreignTriggers: [String] = []
    /// What was done to go back to a moment.
    public internal(set) var past: PastOutcome?
  }

  // MARK: A backup

  /// Puts a backup in the place of a database, under a new name of its history, so that nobody takes a revision of the one
  /// for a revision of the other. The database that was there is kept beside it.
  ///
  /// Nobody else may have the database open; the backup may be a database that is served. It may be killed at any time: the
  /// database is the former one or the restored one.
  /// - Parameter progress: is told how far it is, on the caller's thread; it ends the work, with `CareError.stopped`, by returning
  ///   false.
  public static func run(
    backup: String, database: String, options: Options = Options(), progress: (CareProgress) -> Bool = { _ in true }
  ) throws(CareError) -> Outcome {
    try withoutActuallyEscaping(progress) { progress throws(CareError) in
      let follower = CareFollower(progress)
      let backup = try ReadableFile(backup)
      do throws(CareError) {
        return try CareError.translating(path: backup.path) {
          options.isDryRun
            ? try tryOut(backup, database, options, follower) : try restore(backup, database, options, follower)
        }
      } catch {
        // Of the database it is said that a backup can take its place.
        guard case .opening(.damaged(backup.path, let reason)) = error else { throw error }
        throw .failed(path: backup.path, reason: "is damaged (\(reason)); choose another backup")
      }
    }
  }

  private static func restore(
    _ backup: ReadableFile, _ name: String, _ options: Options, _ follower: CareFollower
  ) throws -> Outcome {
    let database = try open(name, mayBeDefective: true)
    let path = database.path
    try refuseOwnFiles(of: path, backup.path)
    let source = try backup.connect()
    defer { source.close() }
    try source.execute("BEGIN")
    // A backup that cannot be mended is refused before anything is asked of it.
    _ = try BackupMending(connection: source, path: backup.path, migrations: MigrationCatalog.migrations).plan()
    try CareError.translating(path: path.file) {
      try refuseLoss(of: database.connection, defect: database.defect, path.file, backup: backup.path, source, options)
    }

    let tokens = TokenRetention(of: database.connection)
    let replacement = try ReplacementFile(of: database)
    let pages = try source.int64("PRAGMA page_count") ?? 0
    try replacement.checkRoom(bytes: pages * (try source.int64("PRAGMA page_size") ?? 4_096))
    try follower.begin("copying the backup")
    try copy(source, to: replacement.path, follower)
    var outcome = Outcome(path: path.file)
    try prepare(replacement.path, named: backup.path, tokens, options, follower, &outcome)
    let report = try DatabaseCheck.run(path: replacement.path, following: follower)
    outcome.faults = report.faults
    if let fault = report.findings.first(where: { $0.kind.isFault }), !options.acceptsFaults {
      throw CareError.faulty(path: backup.path, fault: "\(fault.kind.rawValue): \(fault.text)", faults: report.faults)
    }
    outcome.documents = report.documents
    outcome.changes = report.changes
    let kept = keptName(for: path.file)
    if path.size != nil {
      outcome.kept = kept
    } else if path.logSize ?? 0 > 0 {
      outcome.keptLog = kept + "-wal"
    }
    try replacement.finish(keepingFormerAs: kept)
    database.wasReplaced()
    return outcome
  }

  private static func refuseOwnFiles(of database: DatabasePath, _ backup: String) throws {
    guard database.file != backup else { throw CareError.sameFile(path: backup) }
    guard database.file + DatabaseBelongings.replacementSuffix != backup else {
      throw CareError.failed(
        path: backup,
        reason:
          "is what an earlier command on this database left behind, and would be removed; give it another name first")
    }
  }

  /// What has to be asked of the files to tell what `restore` would do.
  private static func tryOut(
    _ backup: ReadableFile, _ name: String, _ options: Options, _ follower: CareFollower
  ) throws -> Outcome {
    let path = try DatabasePath(resolving: name)
    try refuseOwnFiles(of: path, backup.path)
    let source = try backup.connect()
    defer { source.close() }
    let plan = try BackupMending(connection: source, path: backup.path, migrations: MigrationCatalog.migrations).plan()
    let tokens = try CareError.translating(path: path.file) {
      let (present, defect) = try look(at: path)
      defer { present?.close() }
      try refuseLoss(of: present, defect: defect, path.file, backup: backup.path, source, options)
      return TokenRetention(of: present)
    }
    var outcome = Outcome(path: path.file)
    outcome.mended = plan.words
    if plan.version < MigrationCatalog.currentVersion { outcome.olderVersion = plan.version }
    let report = try DatabaseCheck.run(path: backup.path, following: follower)
    // What is missing would be mended.
    let faults = report.findings.filter { finding in
      switch finding.kind {
      case .marks: !plan.lacksMarks
      case .schema: !plan.missing.contains { finding.text == "\($0.name.description) is missing" }
      default: finding.kind.isFault
      }
    }
    if let fault = faults.first, !options.acceptsFaults {
      throw CareError.faulty(path: backup.path, fault: "\(fault.kind.rawValue): \(fault.text)", faults: report.faults)
    }
    outcome.documents = report.documents
    outcome.changes = report.changes
    outcome.faults = faults.count + report.omitted.reduce(0) { $0 + ($1.key.isFault ? $1.value : 0) }
    outcome.foreignTriggers = try foreignTriggers(of: source, version: plan.version).map(\.name)
    outcome.tokens = try RestoredTokens(of: source, beside: tokens, areKept: options.keepsTokens)
    if let moment = options.moment {
      outcome.past = try PastRestoration(source, path: backup.path, follower: follower).count(moment)
    }
    return outcome
  }

  /// The database as `ExclusiveDatabase` sees it, beside others that have it open.
  private static func look(at path: DatabasePath) throws -> (connection: Connection?, defect: String?) {
    guard path.size ?? 0 > 0 else { return (nil, nil) }
    do {
      return try OpeningError.translating(path: path.file) {
        let connection = try ReadableFile(path.file).connect()
        do {
          let application = try connection.int64("PRAGMA application_id")
          if application != Int64(MigrationCatalog.applicationID), try !Schema(of: connection).looksLikeDocket {
            throw OpeningError.notDocket(path: path.file)
          }
          return (connection, nil)
        } catch {
          connection.close()
          throw error
        }
      }
    } catch {
      guard let reason = error.defect else { throw error }
      return (nil, reason)
    }
  }

  /// Refuses where something would be lost from sight.
  private static func refuseLoss(
    of database: Connection?, defect: String?, _ path: String, backup: String, _ source: Connection,
    _ options: Options
  ) throws {
    guard !options.replaces else { return }
    if let defect { throw CareError.wouldReplaceUnreadable(path: path, reason: defect) }
    guard let database else { return }
    let lead: DatabaseSummary.Lead
    do {
      lead = try DatabaseSummary(of: database).lead(over: DatabaseSummary(of: source), source)
    } catch {
      throw CareError.wouldReplaceUnreadable(path: path, reason: error.message)
    }
    switch lead {
    case .none: return
    case .changes(let count):
      throw CareError.wouldLose(path: path, backup: backup, changes: count, isOtherHistory: false)
    case .otherHistory(let count):
      throw CareError.wouldLose(path: path, backup: backup, changes: count, isOtherHistory: true)
    }
  }

  /// Copies what a snapshot shows (https://sqlite.org/backup.html).
  private static func copy(_ source: Connection, to path: String, _ follower: CareFollower) throws {
    let copy = try Connection(path: path, access: .write)
    defer { copy.close() }
    // The file is synced once it is whole, and one that was cut off is made anew.
    try copy.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF")
    guard let backup = sqlite3_backup_init(copy.handle, "main", source.handle, "main") else {
      throw copy.error(SQLITE_ERROR, sql: nil)
    }
    var code = SQLITE_OK
    do {
      while code == SQLITE_OK {
        code = sqlite3_backup_step(backup, pagesOfStep)
        let total = Int64(sqlite3_backup_pagecount(backup))
        try follower.report(total - Int64(sqlite3_backup_remaining(backup)), of: total)
      }
    } catch {
      sqlite3_backup_finish(backup)
      throw error
    }
    let end = sqlite3_backup_finish(backup)
    guard code == SQLITE_DONE, end == SQLITE_OK else { throw copy.error(end == SQLITE_OK ? code : end, sql: nil) }
  }

  private static let pagesOfStep: Int32 = 256

  /// Makes of the copy what is to be served.
  private static func prepare(
    _ copy: String, named backup: String, _ tokens: TokenRetention, _ options: Options, _ follower: CareFollower,
    _ outcome: inout Outcome
  ) throws {
    try follower.begin("preparing the copy")
    let connection = try Connection(path: copy, access: .write)
    defer { connection.close() }
    // Where the backup has a log, the copy is marked as if it had one as well.
    _ = try connection.string("PRAGMA journal_mode = DELETE")
    try connection.execute("PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF")
    try follower.following(connection) {
      let mending = try BackupMending(
        connection: connection, path: backup, migrations: MigrationCatalog.migrations
      ).run()
      outcome.mended = mending.mended
      outcome.olderVersion = mending.olderVersion
    }
    outcome.foreignTriggers = try foreignTriggers(of: connection).map(\.name)
    let (restored, expected) = try put(tokens, into: connection, named: backup, options)
    outcome.tokens = restored
    try connection.execute("INSERT OR REPLACE INTO properties VALUES ('history_id', lower(hex(randomblob(16))))")
    if let moment = options.moment {
      outcome.past = try PastRestoration(connection, path: backup, follower: follower).run(moment)
    }
    // Last of all, since a trigger may run within any write.
    guard try tokens.isKept(expected, in: connection) else {
      throw CareError.tokensChanged(path: backup, triggers: try suspects(in: connection))
    }
    _ = try connection.string("PRAGMA journal_mode = WAL")
  }

  /// The triggers that neither Docket nor a setting of a collection has made.
  private static func foreignTriggers(
    of connection: Connection, version: Int = MigrationCatalog.currentVersion
  ) throws -> [(name: String, sql: String)] {
    let migrations = Array(MigrationCatalog.migrations.prefix(version))
    let ofSettings = try Migrator(connection: connection, path: "", migrations: migrations).settingsObjects()
    let expected = try Schema(after: MigrationCatalog.migrations).names.union(ofSettings.flatMap(\.schemaNames))
    return try Schema(of: connection).triggers(beside: expected)
  }

  /// The triggers by which tokens may have been changed: those that speak of tokens, or, where none does, all.
  private static func suspects(in connection: Connection) throws -> [String] {
    let triggers = try foreignTriggers(of: connection)
    let plain = triggers.filter { $0.sql.lowercased().contains("token") }
    return (plain.isEmpty ? triggers : plain).map { DatabaseCheck.Finding.printable($0.name) }
  }

  private static func put(
    _ tokens: TokenRetention, into copy: Connection, named backup: String, _ options: Options
  ) throws -> (restored: RestoredTokens, expected: [AccessToken]) {
    let restored = try RestoredTokens(of: copy, beside: tokens, areKept: options.keepsTokens)
    do {
      let wall = WallClock.system.milliseconds()
      return (restored, try tokens.put(into: copy, revoking: restored.revoked, wall: wall))
    } catch  where error.isRefusal {
      throw CareError.refused(path: backup, reason: error.message)
    }
  }

  /// Like `docket.db.before-restore-20300131T120000Z`, one that is not there yet, nor a log of one.
  private static func keptName(for path: String) -> String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
    let stamp = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let name = "\(path).before-restore-\(stamp)"
    var candidate = name
    var number = 1
    while ["", "-wal", "-shm", "-journal"].contains(where: { access(candidate + $0, F_OK) == 0 }) {
      number += 1
      candidate = "\(name)-\(number)"
    }
    return candidate
  }

  private static func open(_ name: String, mayBeDefective: Bool) throws(CareError) -> ExclusiveDatabase {
    do {
      return try ExclusiveDatabase(name, mayBeDefective: mayBeDefective)
    } catch {
      throw .opening(error)
    }
  }

  // MARK: The database itself

  /// Makes the documents of a database what they were at a moment, in one transaction, by new changes. Nobody else may have it
  /// open, unless this is a dry run.
  public static func toMoment(
    _ moment: PastMomentChoice, database name: String, isDryRun: Bool = false,
    progress: (CareProgress) -> Bool = { _ in true }
  ) throws(CareError) -> PastOutcome {
    try withoutActuallyEscaping(progress) { progress throws(CareError) in
      let follower = CareFollower(progress)
      guard access(name, F_OK) == 0 else { throw .missing(path: name) }
      return try CareError.translating(path: name) {
        isDryRun ? try count(moment, name, follower) : try goBack(to: moment, name, follower)
      }
    }
  }

  private static func count(
    _ moment: PastMomentChoice, _ name: String, _ follower: CareFollower
  ) throws -> PastOutcome {
    let file = try ReadableFile(name)
    let connection = try file.connect()
    defer { connection.close() }
    guard try Schema(of: connection).looksLikeDocket else { throw OpeningError.notDocket(path: file.path) }
    try MigrationCatalog.refuseNewer(connection, path: file.path)
    return try PastRestoration(connection, path: file.path, follower: follower).count(moment)
  }

  private static func goBack(
    to moment: PastMomentChoice, _ name: String, _ follower: CareFollower
  ) throws -> PastOutcome {
    let database = try open(name, mayBeDefective: false)
    guard let connection = database.connection else {
      try database.path.checkLogHasDatabase()
      throw CareError.failed(path: database.path.file, reason: "is empty; there is no moment to go back to")
    }
    // Without a log a change may be larger than the memory: pages that find no room in it go to the file, and its journal holds
    // what undoes them.
    try connection.execute("PRAGMA cache_size = -\(cacheBytes >> 10)")
    _ = try Migrator(
      connection: connection, path: database.path.file, migrations: MigrationCatalog.migrations
    ).migrate()
    return try PastRestoration(connection, path: database.path.file, follower: follower).run(moment)
  }

  private static let cacheBytes = 64 << 20
}
