import Glibc

/// Other programs.
enum Program {
  /// Replaces this process by another program, so that terminal, signals and exit status are its own.
  /// - Parameters:
  ///   - words: its name and its arguments.
  ///   - package: what to install where it is missing.
  /// - Throws: `CommandFailure`, where that cannot be done.
  static func replaceThisProcess(by words: [String], package: String) throws(CommandFailure) {
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    execvp(words[0], &pointers)
    let reason = errno
    for pointer in pointers { free(pointer) }
    guard reason == ENOENT else { throw CommandFailure("cannot run \(words[0]): \(String(cString: strerror(reason)))") }
    throw CommandFailure("there is no \(words[0]) command; install it with: apt-get install \(package)")
  }
}
