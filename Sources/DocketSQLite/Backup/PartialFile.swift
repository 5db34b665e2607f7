import CSQLite
import DocketStore
import Glibc

/// A file that is not whole yet, beside the place where it will be: hidden, its owner's alone, and locked, so that what was
/// left of one that was killed can be told from one that somebody else is writing.
///
/// Whoever holds the lock is the only one to take the name away. So a file that was locked and still has its name is nobody
/// else's.
package final class PartialFile {
  package let path: String
  private let folder: String
  private let target: String
  private let replaces: Bool
  private let descriptor: Int32
  private var isFinished = false

  private static let suffix = ".docket-partial"

  /// Makes an empty file. What earlier ones have left in the folder is removed.
  /// - Parameters:
  ///   - target: the path of the file that it will be.
  ///   - replaces: whether it may take the place of another one.
  ///   - database: one that this process may have open, none of whose files is opened; nil: it has none.
  package init(of target: String, replacing replaces: Bool = false, besides database: String?) throws(BackupError) {
    self.target = target
    self.replaces = replaces
    folder = Folder.holding(target)
    path = "\(folder).\(target.split(separator: "/").last ?? "")\(Self.suffix)"
    if !replaces, Self.isThere(target) { throw .exists(path: target) }
    guard Self.mayBeReplaced(target) else { throw .notFile(path: target) }
    if let other = Self.companion(of: target) { throw .companion(path: target, other: other) }
    descriptor = try Self.make(path, of: target, in: folder, besides: database)
  }

  deinit {
    if !isFinished { unlink(path) }
    close(descriptor)
  }

  private static func isThere(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// Whether nothing is lost but a file: no device, say.
  private static func mayBeReplaced(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
  }

  /// A file that SQLite would take for a part of the target, or the other way round (https://sqlite.org/tempfiles.html), or whose
  /// lock or replacement the target is.
  private static func companion(of target: String) -> String? {
    for suffix in [DatabaseBelongings.lockSuffix, DatabaseBelongings.replacementSuffix] where target.hasSuffix(suffix) {
      let database = String(target.dropLast(suffix.count))
      if isThere(database) { return database }
    }
    let others = BackupName.companionSuffixes.map { suffix in
      target.hasSuffix(suffix) ? String(target.dropLast(suffix.count)) : target + suffix
    }
    return others.first(where: isThere)
  }

  private static func make(
    _ path: String, of target: String, in folder: String, besides database: String?
  ) throws(BackupError) -> Int32 {
    // Somebody who removes leftovers may take it away between two of the steps.
    for _ in 0..<10 {
      removeLeftovers(in: folder, besides: database)
      let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else {
        if errno == EEXIST { throw .inTheMaking(path: target, partial: path) }
        throw .failed(.failed(path: target, reason: DatabasePath.systemError()))
      }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, has(path, descriptor) { return descriptor }
      close(descriptor)
    }
    throw .inTheMaking(path: target, partial: path)
  }

  /// Whether a path still leads to the file that is open.
  private static func has(_ path: String, _ descriptor: Int32) -> Bool {
    var (named, open) = (stat(), stat())
    return lstat(path, &named) == 0 && fstat(descriptor, &open) == 0 && named.st_dev == open.st_dev
      && named.st_ino == open.st_ino
  }

  /// Removes what nobody writes any more.
  /// - Parameter database: one that this process may have open, none of whose files is opened; nil: it has none.
  static func removeLeftovers(in folder: String, besides database: String?) {
    for name in Folder.names(in: folder) where name.hasPrefix(".") && name.hasSuffix(suffix) {
      let path = folder + name
      // What is no file is not opened: a device may heed that.
      guard let named = FileReference(path), let status = named.status, status.st_mode & S_IFMT == S_IFREG,
        status.st_uid == geteuid(), !(database.map(named.isPart) ?? false)
      else { continue }
      let descriptor = named.open(O_RDWR)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, has(path, descriptor) { unlink(path) }
      close(descriptor)
    }
  }

  /// Writes behind what is there.
  /// - Parameter total: how large it will be, in bytes.
  package func append(_ bytes: [UInt8], of total: Int64) throws(BackupError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 || errno == EINTR else { throw failure(needed: total) }
      rest = rest.dropFirst(max(count, 0))
    }
  }

  /// Throws where there is no room for so many bytes.
  package func checkRoom(for bytes: Int64) throws(BackupError) { try room().check(bytes) }

  /// - Parameter database: the file that is copied, if it is on this machine.
  func room(besides database: String? = nil) -> BackupRoom { BackupRoom(for: target, in: folder, besides: database) }

  /// How large it is, in bytes.
  package var bytes: Int64 {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
  }

  /// Writes over what is there.
  func overwrite(_ bytes: [UInt8], at offset: Int) throws(BackupError) {
    guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
      throw failure(needed: self.bytes)
    }
  }

  /// Has what was written so far on disk.
  func sync() throws(BackupError) {
    guard fdatasync(descriptor) == 0 else { throw failure(needed: bytes) }
  }

  /// Gives the file its name, once all of it is on disk.
  package func finish() throws(BackupError) {
    guard fsync(descriptor) == 0 else { throw failure(needed: bytes) }
    if replaces {
      guard rename(path, target) == 0 else { throw failure(needed: bytes) }
    } else {
      guard renameToNew() else { throw errno == EEXIST ? .exists(path: target) : failure(needed: bytes) }
    }
    isFinished = true
    do {
      try Folder.sync(folder)
    } catch {
      throw .failed(error)
    }
  }

  /// - Returns: false, with `errno`, where that failed or the name is taken.
  private func renameToNew() -> Bool {
    if docket_rename_to_new(path, target) == 0 { return true }
    // A file system that does not know this has links (those without, vfat and exFAT, know it).
    guard errno == EINVAL || errno == ENOSYS, link(path, target) == 0 else { return false }
    unlink(path)
    return true
  }

  private func failure(needed: Int64) -> BackupError {
    let code = errno
    return room().shortage(code, needed: needed, written: bytes)
      ?? .failed(.failed(path: target, reason: String(cString: strerror(code))))
  }
}
