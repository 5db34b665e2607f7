import ArgumentParser
import DocketSQLite
import Glibc

/// Where the server's backups lie, and which it makes by itself.
struct BackupOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder for backups that the server keeps; it is made if it does not exist, as its owner's alone.",
      valueName: "folder"))
  var backupFolder: String?

  @Option(
    help: ArgumentHelp("How often the server makes a backup there by itself, such as 6h.", valueName: "duration"),
    transform: DurationText.init(text:))
  var backupEvery: DurationText?

  @Option(help: "How many of these are kept; the oldest go. Without it all are.")
  var backupKeep: Int?

  @Option(help: "For how many seconds a copy for fetching is kept once nobody asks for it any more.")
  var backupFetchTimeout: Int64 = SQLiteStoreOptions().backupFetchSeconds

  func validate() throws {
    guard backupFolder != nil || (backupEvery == nil && backupKeep == nil) else {
      throw ValidationError("--backup-every and --backup-keep need to know where: add --backup-folder")
    }
    guard backupEvery != nil || backupKeep == nil else {
      throw ValidationError("--backup-keep is about the backups that the server makes by itself: add --backup-every")
    }
    if let backupEvery { try check("--backup-every, in seconds,", backupEvery.seconds, 1...31_557_600) }
    if let backupKeep { try check("--backup-keep", backupKeep, 1...100_000) }
    try check("--backup-fetch-timeout", backupFetchTimeout, 1...86_400)
  }

  func apply(to options: inout SQLiteStoreOptions) throws(CommandFailure) {
    options.backupFetchSeconds = backupFetchTimeout
    guard let backupFolder else { return }
    try Self.prepare(backupFolder)
    options.backupFolder = backupFolder
    options.backupSeries = backupEvery.map { BackupSeries(everySeconds: $0.seconds, keep: backupKeep) }
  }

  /// Refuses the folder of the database: what lies beside a database is not to be handed out or removed.
  func refuseFolder(of database: String) throws(CommandFailure) {
    guard let backupFolder else { return }
    let parent = database.lastIndex(of: "/").map { String(database[...$0]) } ?? "./"
    var (own, named) = (stat(), stat())
    guard stat(parent, &own) == 0, stat(backupFolder, &named) == 0 else { return }
    guard own.st_dev != named.st_dev || own.st_ino != named.st_ino else {
      throw CommandFailure(
        "--backup-folder \(backupFolder) is the database's own folder; name another one, such as \(backupFolder)/backups"
      )
    }
  }

  private static func prepare(_ folder: String) throws(CommandFailure) {
    var status = stat()
    if stat(folder, &status) != 0 {
      guard errno == ENOENT, mkdir(folder, 0o700) == 0 else {
        throw CommandFailure("--backup-folder \(folder) cannot be made: \(String(cString: strerror(errno)))")
      }
      return
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw CommandFailure("--backup-folder \(folder) is no folder") }
    guard access(folder, W_OK | X_OK) == 0 else {
      throw CommandFailure(
        "--backup-folder \(folder): \(String(cString: strerror(errno))); the server's user must be able to write to it")
    }
  }
}
