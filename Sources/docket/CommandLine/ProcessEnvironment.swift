import Glibc

/// What the process was started with, read once before other threads may change it.
enum ProcessEnvironment {
  /// What stands behind the program's name.
  /// - Throws: `CommandFailure` for what is not UTF-8: repaired it would name another file or document.
  static func arguments() throws(CommandFailure) -> [String] {
    var arguments: [String] = []
    for argument in UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)).dropFirst() {
      guard let argument, let text = String(validatingCString: argument) else {
        let shown = argument.map { String(cString: $0) } ?? ""
        throw CommandFailure("an argument is not UTF-8: \(shown)", status: .usage)
      }
      arguments.append(text)
    }
    return arguments
  }

  /// The variables of the environment. Names and values that are not UTF-8 are repaired.
  static func variables() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 {
        variables[String(pair[0])] = String(pair[1])
      }
      entry += 1
    }
    return variables
  }
}

/// Ends the process. (`exit` in a command means `ParsableArguments.exit`.)
func exitProcess(_ status: Int32) -> Never {
  exit(status)
}
