import Foundation

/// The `sqlite3` command, as people use it on a database.
public enum SQLiteCommand {
  public struct Outcome: Equatable, Sendable {
    public let status: Int32
    public let output: String
    public let error: String
  }

  /// Runs `sqlite3 path`, feeding it a script.
  public static func run(_ path: String, _ script: String) throws -> Outcome {
    // A file and not a pipe: however much is written, neither side waits for the other.
    let input = FileManager.default.temporaryDirectory.appendingPathComponent("docket-\(UUID().uuidString).sql")
    try Data(script.utf8).write(to: input)
    defer { try? FileManager.default.removeItem(at: input) }
    return try outcome(of: ChildProcess("sh", ["-c", "exec sqlite3 \"$1\" <\"$2\"", "sh", path, input.path]))
  }

  /// Runs a line of shell in a directory.
  public static func shell(_ line: String, in directory: String) throws -> Outcome {
    try outcome(of: ChildProcess("env", ["-C", directory, "sh", "-c", line]))
  }

  private static func outcome(of process: ChildProcess) throws -> Outcome {
    guard case .exited(let status) = process.waitForEnd(seconds: 600) else {
      throw ChildProcess.Failure(description: "it did not end by itself: \(process.errorOutput)")
    }
    return Outcome(status: status, output: process.remainingOutput, error: process.errorOutput)
  }
}
