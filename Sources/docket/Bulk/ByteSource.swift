import Glibc

/// Bytes that are read in pieces, from their beginning or from a place behind it.
protocol ByteStream {
  /// Reads what comes next; 0 at the end.
  func read(into space: UnsafeMutableRawBufferPointer) throws(CommandFailure) -> Int

  /// Goes to a place counted from the beginning; false where only reading leads there.
  func seek(to offset: Int64) -> Bool
}

/// A file or standard input.
final class ByteSource: ByteStream {
  /// As in messages: the path, or `standard input`.
  let name: String
  /// In bytes; nil where that is not known, as of a pipe.
  let size: Int64?
  private let descriptor: Int32

  /// - Parameter path: `-` is standard input.
  init(path: String) throws(CommandFailure) {
    name = path == "-" ? "standard input" : path
    descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(name) }
    var status = stat()
    let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    size = isFile ? Int64(status.st_size) : nil
  }

  deinit {
    close(descriptor)
  }

  func read(into space: UnsafeMutableRawBufferPointer) throws(CommandFailure) -> Int {
    while true {
      let count = Glibc.read(descriptor, space.baseAddress, space.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw Self.failure(name) }
    }
  }

  func seek(to offset: Int64) -> Bool {
    size != nil && lseek(descriptor, off_t(offset), SEEK_SET) >= 0
  }

  private static func failure(_ name: String) -> CommandFailure {
    CommandFailure("cannot read \(name): \(String(cString: strerror(errno)))")
  }
}
