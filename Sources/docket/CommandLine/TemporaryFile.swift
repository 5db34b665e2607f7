import Glibc

/// A file without a name, for another program that this process becomes.
enum TemporaryFile {
  /// Puts text where it can be read for as long as somebody has the descriptor, from its beginning.
  static func descriptor(of text: [UInt8]) throws(CommandFailure) -> Int32 {
    let folder = ProcessEnvironment.variables()["TMPDIR"] ?? "/tmp"
    // mkstemp replaces the last six characters.
    var name = Array("\(folder)/docket-\(String(repeating: "X", count: 6))".utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw failure("make") }
    unlink(name)
    var rest = text[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw failure("write") }
      rest = rest.dropFirst(count)
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }

  private static func failure(_ action: String) -> CommandFailure {
    CommandFailure("cannot \(action) a temporary file: \(String(cString: strerror(errno)))")
  }
}
