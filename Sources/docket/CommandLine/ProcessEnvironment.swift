import Glibc

/// What the process was started with, read once before other threads may change it.
enum ProcessEnvironment {
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
