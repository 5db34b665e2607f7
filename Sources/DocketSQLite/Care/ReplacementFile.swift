import CSQLite
import Glibc

/// A database that is made beside another one and takes its place once it is whole and on disk.
///
/// It has a name of its own that is always the same, so that the next one removes what was left of one that was killed. Only
/// who has the database's lock makes one.
final class ReplacementFile {
  let path: String
  private let target: DatabasePath
  /// Held, so that it lasts until what is left behind has been removed.
  private let lock: AnyObject
  private var isFinished = false

  convenience init(of database: ExclusiveDatabase) throws(CareError) {
    try self.init(of: database.path, heldBy: database)
  }

  /// Makes an empty file with the mode and the owner of the one that it is to replace; where there is none, the folder's owner
  /// gets it.
  /// - Parameter lock: the database's, or what has it.
  init(of target: DatabasePath, heldBy lock: AnyObject) throws(CareError) {
    self.target = target
    self.lock = lock
    path = target.file + DatabaseBelongings.replacementSuffix
    removeFiles()
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .failed(path: path, reason: DatabasePath.systemError()) }
    defer { close(descriptor) }
    FileOwner.ofFiles(beside: target)?.give(descriptor)
    var status = stat()
    guard stat(target.file, &status) == 0 else { return }
    fchmod(descriptor, status.st_mode & 0o777)
  }

  deinit {
    if !isFinished { removeFiles() }
  }

  private func removeFiles() {
    for file in [path, path + "-journal", path + "-wal", path + "-shm"] { unlink(file) }
  }

  /// Whether the file system has room for so many bytes more, as far as can be told before.
  func checkRoom(bytes: Int64) throws(CareError) {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return }
    let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    guard free < bytes else { return }
    throw .failed(
      path: target.file,
      reason:
        "the copy needs about \(bytes) bytes beside it, and the disk has room for \(free); make room and try again")
  }

  /// Puts the file in the place of the database, atomically.
  /// - Parameter kept: the name under which the former one stays; nil removes it.
  func finish(keepingFormerAs kept: String?) throws(CareError) {
    for file in [path + "-journal", path + "-wal", path + "-shm"] where access(file, F_OK) == 0 {
      throw .failed(path: path, reason: "\(file) is still there")
    }
    try sync(path)
    guard unlink(target.sharedMemory) == 0 || errno == ENOENT else { throw failure() }
    let logs = [(target.log, "-wal"), (target.journal, "-journal")].filter { access($0.0, F_OK) == 0 }
    if let first = logs.first {
      guard let kept else { throw .failed(path: target.file, reason: "\(first.0) is still there") }
      try putAside(logs, keepingFormerAs: kept)
    } else if let kept, access(target.file, F_OK) == 0 {
      try exchange(keepingFormerAs: kept)
    } else {
      guard rename(path, target.file) == 0 else { throw failure() }
    }
    isFinished = true
    try syncDirectory()
  }

  /// A log that is still there is that of a file which SQLite could not read. It goes with that file: a database must never
  /// find another one's log.
  ///
  /// No call gives two files other names at once. So the former one gets second names first, its log as well, and only then are
  /// the first ones taken away: it is whole under the one or the other at each moment. If this is cut off in between, the file has
  /// two names, and opening it says so. (Where the file system has no links the log has its new name a moment before.)
  private func putAside(_ logs: [(file: String, suffix: String)], keepingFormerAs kept: String) throws(CareError) {
    let hasFile = access(target.file, F_OK) == 0
    let moves = (hasFile ? [(file: target.file, suffix: "")] : []) + logs
    if linkAll(moves, to: kept) {
      try syncDirectory()
      guard logs.allSatisfy({ unlink($0.file) == 0 }), rename(path, target.file) == 0 else {
        let failure = failure()
        for move in moves {
          link(kept + move.suffix, move.file)
          unlink(kept + move.suffix)
        }
        throw failure
      }
      return
    }
    do throws(CareError) {
      for log in logs {
        guard rename(log.file, kept + log.suffix) == 0 else { throw failure() }
      }
      guard !hasFile else { return try exchange(keepingFormerAs: kept) }
      guard rename(path, target.file) == 0 else { throw failure() }
    } catch {
      for log in logs where access(log.file, F_OK) != 0 { rename(kept + log.suffix, log.file) }
      throw error
    }
  }

  /// Gives files second names, all of them or none.
  private func linkAll(_ moves: [(file: String, suffix: String)], to kept: String) -> Bool {
    for (done, move) in moves.enumerated() where link(move.file, kept + move.suffix) != 0 {
      for move in moves.prefix(done) { unlink(kept + move.suffix) }
      return false
    }
    return true
  }

  /// At each moment there is one database or the other under its name. If this is cut off in between, the new one stands
  /// under the name that the former one was to have.
  private func exchange(keepingFormerAs kept: String) throws(CareError) {
    guard rename(path, kept) == 0 else { throw failure() }
    guard docket_exchange_files(kept, target.file) != 0 else { return }
    // A file system that cannot exchange files. A second name for the former one does the same, but where this is cut off
    // before the rename it has two names.
    guard rename(kept, path) == 0, link(target.file, kept) == 0, rename(path, target.file) == 0 else { throw failure() }
  }

  /// What was in the directory stays there even when the power fails now.
  func syncDirectory() throws(CareError) {
    try sync(String(target.file[..<(target.file.lastIndex(of: "/") ?? target.file.startIndex)]) + "/")
  }

  private func sync(_ file: String) throws(CareError) {
    // No connection of this process has it open, whose locks closing this would drop.
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure() }
  }

  private func failure() -> CareError {
    .failed(path: target.file, reason: "cannot be replaced: \(DatabasePath.systemError())")
  }
}
