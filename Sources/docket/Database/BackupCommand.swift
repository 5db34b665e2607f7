import ArgumentParser
import DocketClient
import DocketSQLite
import DocketWire
import Glibc
import NIOCore

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy the database while it is served, and check the copy.",
    discussion: """
      The copy holds everything that was committed when it began; writers go on meanwhile. It is whole and on disk, or not \
      there at all.

        docket backup monday.db                     # from the running server, over its connection
        docket backup --database docket.db /backups # from the file, under a name made of the time
        docket backup /backups --every 6h --keep 28 # again and again, until it is ended
        docket backup --on-server monday.db         # into the server's own --backup-folder

      A backup is checked as by docket check; where that finds faults the database has them too, and none is made. \
      --accept-faults copies it all the same. Where there is no room for it, it says how much is needed. A server may take a day \
      to make it; --timeout is for the answers that bring it here.

      Where no server answers at the address that is meant by default, docket.db in this folder is taken. With tokens it takes \
      one that is admin. docket restore puts a backup back.
      """)

  @Argument(help: "The file to make, or a folder, where the name is made of the time.")
  var file: String?

  @Option(help: ArgumentHelp("Copy this database file, which may be served, and ask no server.", valueName: "path"))
  var database: String?

  @Option(
    help: ArgumentHelp("Have the server make it in its own folder (--backup-folder), by this name.", valueName: "name"))
  var onServer: String?

  @Option(
    help: ArgumentHelp("Go on making one in the folder so often, such as 6h, until ended.", valueName: "duration"),
    transform: DurationText.init(text:))
  var every: DurationText?

  @Option(help: "How many in the folder are kept, of those whose names are made of the time; the oldest go.")
  var keep: Int?

  @Flag(help: "Take the place of a file that is there.")
  var replace = false

  @Flag(help: "Copy also a database in which the check finds faults.")
  var acceptFaults = false

  @OptionGroup var progress: ProgressOptions
  @OptionGroup var server: ServerOptions

  func validate() throws {
    guard (file == nil) != (onServer == nil) else {
      throw ValidationError(
        "name the file or folder to make the backup in, or a name for the server's own with --on-server")
    }
    guard onServer == nil || (database == nil && every == nil && keep == nil && !replace) else {
      throw ValidationError(
        "--on-server goes with none of --database, --every, --keep and --replace; docket serve has --backup-every and --backup-keep"
      )
    }
    if let keep { try check("--keep", keep, 1...100_000) }
    if let every { try check("--every, in seconds,", every.seconds, 1...31_557_600) }
  }

  func run() async throws {
    StopSignal.watch()
    // A file that meets its size limit gives an error then, which is told, in the place of a signal.
    signal(SIGXFSZ, SIG_IGN)
    guard let file else { return try await makeOnServer(onServer ?? "") }
    guard Self.isFolder(file) else {
      guard every == nil, keep == nil else {
        throw CommandFailure("--every and --keep take a folder, and \(file) is none", status: .usage)
      }
      try await make(file)
      return
    }
    let series = BackupSeries(everySeconds: every?.seconds ?? 0, keep: keep)
    // A server is another process, and this one opens no database but by SQLite.
    let folder = SeriesFolder(file, besides: database)
    guard every != nil else {
      if let history = try await make(in: file) { series.removeSurplus(in: folder, of: history, now: Self.now) }
      return
    }
    try await repeatedly(series, in: file, folder)
  }

  // MARK: Again and again

  /// One that has failed is tried again after so long.
  private static let retrySeconds: Int64 = 60

  private func repeatedly(_ series: BackupSeries, in path: String, _ folder: SeriesFolder) async throws {
    // Which history a server has is known once a backup was made.
    var history = database.flatMap(SeriesFolder.history(ofDatabase:))
    var wait = series.secondsToNext(in: folder, of: history, now: Self.now)
    while await !StopSignal.comes(within: .seconds(wait)) {
      do {
        history = try await make(in: path)
        if let history { series.removeSurplus(in: folder, of: history, now: Self.now) }
        wait = series.secondsToNext(in: folder, of: history, now: Self.now)
      } catch let error as CommandFailure {
        if StopSignal.isStopped { return }
        try StandardStream.error.writeLine("docket: \(error); trying again in \(Self.retrySeconds) s")
        wait = Self.retrySeconds
      }
    }
  }

  private static var now: Int64 { Int64(time(nil)) }

  /// - Returns: the name of the history that was copied.
  private func make(in folder: String) async throws -> String? {
    let stem = folder.hasSuffix("/") ? folder : folder + "/"
    return try await make(stem + BackupSeries.name(at: Self.now))
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  // MARK: One

  /// - Returns: the name of the history that was copied.
  @discardableResult
  private func make(_ target: String) async throws -> String? {
    if let database { return try copy(database, to: target) }
    do {
      return try await fetch(to: target)
    } catch let failure as BackupFetch.NoServer {
      let usual = "docket.db"
      guard server.isDefaultAddress, access(usual, F_OK) == 0 else { throw failure.reason }
      try StandardStream.error.writeLine("docket: no server answers on \(server.address); copying \(usual) itself")
      return try copy(usual, to: target)
    }
  }

  /// Reads the file itself, at full speed where nobody serves it.
  private func copy(_ database: String, to target: String) throws -> String? {
    var options = DatabaseBackup.Options()
    options.replaces = replace
    options.acceptsFaults = acceptFaults
    let outcome = try progress.follow { [options] report throws(BackupError) in
      try DatabaseBackup.run(database, to: target, options: options, progress: report)
    }
    tell(target, bytes: outcome.bytes, revision: outcome.revision.rawValue, faults: outcome.report.faults)
    return outcome.report.history
  }

  private func fetch(to target: String) async throws -> String? {
    let fetch = BackupFetch(server: server, progress: progress, acceptsFaults: acceptFaults)
    let file = try Self.failing { () throws(BackupError) in
      try PartialFile(of: target, replacing: replace, besides: nil)
    }
    try await fetch.run { piece, total in
      try Self.failing { () throws(BackupError) in
        if file.bytes == 0 { try file.checkRoom(for: total) }
        try file.append(piece, of: total)
      }
    }
    let report = try progress.follow { report throws(CareError) in
      try DatabaseCheck.run(path: file.path, progress: report)
    }
    if !acceptFaults, let fault = report.findings.first(where: { $0.kind.isFault }) {
      throw CommandFailure("what was fetched is not sound: \(fault.text); try again")
    }
    let bytes = file.bytes
    try Self.failing { () throws(BackupError) in try file.finish() }
    tell(target, bytes: bytes, revision: report.newestChange ?? 0, faults: report.faults)
    return report.history
  }

  private func makeOnServer(_ name: String) async throws {
    let fetch = BackupFetch(server: server, progress: progress, acceptsFaults: acceptFaults)
    let backup: BackupFetch.Made
    do {
      backup = try await fetch.make(named: name)
    } catch let failure as BackupFetch.NoServer {
      throw failure.reason
    }
    tell(backup.name, bytes: backup.bytes, revision: backup.revision, faults: backup.faults)
  }

  private func tell(_ name: String, bytes: Int64, revision: Int64, faults: Int) {
    let verdict = faults == 0 ? "checked" : "\(faults) \(faults == 1 ? "fault" : "faults"), which docket check names"
    // It is made, whoever reads this.
    try? StandardStream.output.writeLine("\(name): \(bytes) bytes, revision \(revision), \(verdict)")
  }

  private static func failing<Value>(_ body: () throws(BackupError) -> Value) throws(CommandFailure) -> Value {
    do {
      return try body()
    } catch {
      throw CommandFailure("\(error)")
    }
  }
}
