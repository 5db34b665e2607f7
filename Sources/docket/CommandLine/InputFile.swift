import Glibc
import NIOCore

/// Reads files whole.
enum InputFile {
  /// Far beyond what a server takes for a request, unless it is told to.
  private static let mostBytes = 1 << 30

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
      var failure: Int32 = 0
      let count = content.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { space in
        let count = Glibc.read(descriptor, space.baseAddress, space.count)
        if count < 0 { failure = errno }
        return max(count, 0)
      }
      if failure == EINTR { continue }
      if failure != 0 { throw Self.failure(name: name, failure) }
      if count == 0 { return content }
      guard content.readableBytes <= mostBytes else {
        throw CommandFailure("\(name) is longer than \(mostBytes >> 20) MiB, which is more than any server takes")
      }
    }
  }

  private static func failure(name: String, _ code: Int32 = errno) -> CommandFailure {
    CommandFailure("cannot read \(name.isEmpty ? "''" : name): \(String(cString: strerror(code)))")
  }
}
