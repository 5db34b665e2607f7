import Glibc

/// A file that is not whole yet, beside the place where it will be: hidden, its owner's alone, and locked, so that what was
/// left of one that was killed can be told from one that somebody else is writing.
package final class PartialFile {
  package let path: String
  private let folder: String
  private let target: String
  private let descriptor: Int32
  private var isFinished = false

  private static let suffix = ".docket-partial"

  /// Makes an empty file. What earlier ones have left in the folder is removed.
  /// - Parameter target: the path of the file that it will be.
  package init(of target: String) throws(CareError) {
    self.target = target
    (folder, path) = Self.place(of: target)
    Self.removeLeftovers(in: folder)
    // One that is there is somebody else's, or is being written.
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if descriptor < 0, errno == EEXIST {
      isFinished = true
      throw .failed(path: target, reason: "is being made already, by another process (\(path))")
    }
    guard descriptor >= 0 else { throw .failed(path: target, reason: DatabasePath.systemError()) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      // Not to be removed: it is another one's.
      isFinished = true
      throw .failed(path: target, reason: "is being made already, by another process")
    }
    ftruncate(descriptor, 0)
  }

  deinit {
    if !isFinished { unlink(path) }
    close(descriptor)
  }

  private static func place(of target: String) -> (folder: String, path: String) {
    let end = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
    let folder = end == target.startIndex ? "./" : String(target[..<end])
    return (folder, "\(folder).\(target[end...])\(suffix)")
  }

  /// Removes what nobody writes any more.
  static func removeLeftovers(in folder: String) {
    for name in Folder.names(in: folder) where name.hasPrefix(".") && name.hasSuffix(suffix) {
      let path = folder + name
      let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
        close(descriptor)
        continue
      }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
      close(descriptor)
    }
  }

  /// Writes behind what is there.
  package func append(_ bytes: [UInt8]) throws(CareError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 || errno == EINTR else { throw failure() }
      rest = rest.dropFirst(max(count, 0))
    }
  }

  /// Has what was written so far on disk.
  func sync() throws(CareError) {
    guard fdatasync(descriptor) == 0 else { throw failure() }
  }

  /// Gives the file its name, once all of it is on disk.
  /// - Parameter replaces: whether it may take the place of another one.
  package func finish(replacing replaces: Bool) throws(CareError) {
    guard fsync(descriptor) == 0 else { throw failure() }
    if replaces {
      guard rename(path, target) == 0 else { throw failure() }
    } else {
      guard link(path, target) == 0 else {
        throw errno == EEXIST ? .exists(path: target) : failure()
      }
      unlink(path)
    }
    isFinished = true
    try Folder.sync(folder)
  }

  private func failure() -> CareError {
    errno == ENOSPC ? .diskFull(path: target) : .failed(path: target, reason: DatabasePath.systemError())
  }
}

/// What is asked of folders.
enum Folder {
  static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }

  /// Has the names in it on disk.
  static func sync(_ folder: String) throws(CareError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw .failed(path: folder, reason: DatabasePath.systemError()) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .failed(path: folder, reason: DatabasePath.systemError()) }
  }
}
