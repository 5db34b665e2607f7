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
    guard let file else { return try await makeOnServer(onServer ?? "") }
    guard Self.isFolder(file) else {
      guard every == nil, keep == nil else {
        throw CommandFailure("--every and --keep take a folder, and \(file) is none", status: .usage)
      }
      return try await make(file)
    }
    let series = BackupSeries(everySeconds: every?.seconds ?? 0, keep: keep)
    guard every != nil else {
      try await make(in: file)
      return series.removeSurplus(in: file, now: Self.now)
    }
    try await repeatedly(series, in: file)
  }

  // MARK: Again and again

  /// One that has failed is tried again after so long.
  private static let retrySeconds: Int64 = 60

  private func repeatedly(_ series: BackupSeries, in folder: String) async throws {
    var wait = series.secondsToNext(in: folder, now: Self.now)
    while await !StopSignal.comes(within: .seconds(wait)) {
      do {
        try await make(in: folder)
        series.removeSurplus(in: folder, now: Self.now)
        wait = series.secondsToNext(in: folder, now: Self.now)
      } catch let error as CommandFailure {
        if StopSignal.isStopped { return }
        try StandardStream.error.writeLine("docket: \(error); trying again in \(Self.retrySeconds) s")
        wait = Self.retrySeconds
      }
    }
  }

  private static var now: Int64 { Int64(time(nil)) }

  private func make(in folder: String) async throws {
    let stem = folder.hasSuffix("/") ? folder : folder + "/"
    try await make(stem + BackupSeries.name(at: Self.now))
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  // MARK: One

  private func make(_ target: String) async throws {
    guard replace || access(target, F_OK) != 0 else { throw CommandFailure("\(CareError.exists(path: target))") }
    if let database { return try copy(database, to: target) }
    do {
      try await fetch(to: target)
    } catch let failure as BackupFetch.NoServer {
      let usual = "docket.db"
      guard server.isDefaultAddress, access(usual, F_OK) == 0 else { throw failure.reason }
      try StandardStream.error.writeLine("docket: no server answers on \(server.address); copying \(usual) itself")
      try copy(usual, to: target)
    }
  }

  /// Reads the file itself, at full speed where nobody serves it.
  private func copy(_ database: String, to target: String) throws {
    let outcome = try progress.follow { report throws(CareError) in
      try DatabaseBackup.run(database, to: target, replaces: replace, progress: report)
    }
    try tell(target, bytes: outcome.bytes, revision: outcome.revision.rawValue)
  }

  private func fetch(to target: String) async throws {
    let fetch = BackupFetch(server: server, progress: progress)
    let file = try Self.failing { () throws(CareError) in try PartialFile(of: target) }
    try await fetch.run { piece in try Self.failing { () throws(CareError) in try file.append(piece) } }
    let report = try progress.follow { report throws(CareError) in
      try DatabaseCheck.run(path: file.path, progress: report)
    }
    if let fault = report.findings.first(where: { $0.kind.isFault }) {
      throw CommandFailure("what was fetched is not sound: \(fault.text); try again")
    }
    var status = stat()
    stat(file.path, &status)
    try Self.failing { () throws(CareError) in try file.finish(replacing: replace) }
    try tell(target, bytes: Int64(status.st_size), revision: report.newestChange ?? 0)
  }

  private func makeOnServer(_ name: String) async throws {
    let backup = try await BackupFetch(server: server, progress: progress).make(named: name)
    try tell(backup.name, bytes: backup.bytes, revision: backup.revision)
  }

  private func tell(_ name: String, bytes: Int64, revision: Int64) throws {
    try StandardStream.output.writeLine("\(name): \(bytes) bytes, revision \(revision), checked")
  }

  private static func failing<Value>(_ body: () throws(CareError) -> Value) throws(CommandFailure) -> Value {
    do {
      return try body()
    } catch {
      throw CommandFailure("\(error)")
    }
  }
}
