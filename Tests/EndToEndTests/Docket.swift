import DocketTestSupport
import Foundation

/// The `docket` that was built with these tests.
enum Docket {
  /// It lies beside the tests' own executable.
  static let path: String = {
    if let path = ProcessInfo.processInfo.environment["DOCKET_TEST_BINARY"] { return path }
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appendingPathComponent("docket").path
  }()

  struct Result: Equatable, Sendable {
    let ending: ChildProcess.Ending?
    let output: String
    let error: String

    /// The lines of standard error.
    var errorLines: [Substring] { error.split(separator: "\n") }
  }

  /// Runs a command until it ends.
  static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Result {
    let process = try ChildProcess(path, arguments, environment: environment)
    let ending = process.waitForEnd()
    return Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
  }
}
