import DocketSQLite
import Glibc
import NIOCore

/// A file that is written beside another one and takes its place when it is whole and on disk.
final class FileReplacement {
  private let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private var isFinished = false

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// - Throws: `CommandFailure`; also where something other than a file would be lost, such as `/dev/null`.
  init(path: String) throws(CommandFailure) {
    self.path = path
    var status = stat()
    guard stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else {
      throw CommandFailure("cannot write \(path): it is no file that could be replaced")
    }
    guard !DatabaseBelongings.contain(path) else {
      throw CommandFailure("\(path) is a database, or belongs to one, and is not overwritten; choose another name")
    }
    // mkstemp replaces the last six characters.
    var name = Array("\(path).\(String(repeating: "X", count: 6))".utf8CString)
    descriptor = mkstemp(&name)
    temporaryPath = name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    guard descriptor >= 0 else { throw failure() }
    // mkstemp lets nobody else read it; other files are as the process's mask says.
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
  }

  /// What was not finished leaves nothing behind.
  deinit {
    close(descriptor)
    if !isFinished && descriptor >= 0 { unlink(temporaryPath) }
  }

  func write(_ bytes: ByteBuffer) throws(CommandFailure) {
    var rest = bytes
    while rest.readableBytes > 0 {
      let count = rest.withUnsafeReadableBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest.moveReaderIndex(forwardBy: count)
      } else if errno != EINTR {
        throw failure()
      }
    }
  }

  func finish() throws(CommandFailure) {
    guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else { throw failure() }
    isFinished = true
    do { try Folder.sync(Folder.holding(path)) } catch { throw CommandFailure("\(error)") }
  }

  private func failure() -> CommandFailure {
    CommandFailure("cannot write \(path): \(String(cString: strerror(errno)))")
  }
}
