import Glibc
import NIOCore

/// Reads files whole.
enum InputFile {
  static var standardInputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// - Throws: `CommandFailure`.
  static func standardInput() throws(CommandFailure) -> ByteBuffer {
    try readAll(STDIN_FILENO, name: "standard input")
  }

  /// - Throws: `CommandFailure`.
  static func read(path: String) throws(CommandFailure) -> ByteBuffer {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(name: path) }
    defer { close(descriptor) }
    return try readAll(descriptor, name: path)
  }

  private static func readAll(_ descriptor: Int32, name: String) throws(CommandFailure) -> ByteBuffer {
    var content = ByteBuffer()
    while true {
      let count = content.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { space in
        max(Glibc.read(descriptor, space.baseAddress, space.count), -1)
      }
      if count == 0 { return content }
      if count < 0 && errno != EINTR { throw failure(name: name) }
    }
  }

  private static func failure(name: String) -> CommandFailure {
    CommandFailure("cannot read \(name): \(String(cString: strerror(errno)))")
  }
}
