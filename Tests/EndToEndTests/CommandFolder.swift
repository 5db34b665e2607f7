import DocketTestSupport
import Foundation

/// A folder with files, and commands that run in it and speak to a server.
struct CommandFolder: Sendable {
  let path: String
  let port: Int

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }

  func start(_ arguments: [String]) throws -> ChildProcess {
    try ChildProcess(
      "env", ["-C", path, Docket.path] + arguments, environment: ["DOCKET_PORT": "\(port)"])
  }

  /// Runs a command of `docket` until it ends.
  func run(_ arguments: [String]) throws -> Docket.Result {
    try Self.result(of: try start(arguments))
  }

  /// Runs a line of the shell until it ends.
  func shell(_ line: String) throws -> Docket.Result {
    try Self.result(of: try startShell(line))
  }

  func startShell(_ line: String) throws -> ChildProcess {
    let binaries = (Docket.path as NSString).deletingLastPathComponent
    let search = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return try ChildProcess(
      "env", ["-C", path, "sh", "-c", line],
      environment: ["DOCKET_PORT": "\(port)", "PATH": "\(binaries):\(search)"])
  }

  private static func result(of process: ChildProcess) throws -> Docket.Result {
    let ending = process.waitForEnd()
    return Docket.Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
  }
}

/// Calls `body`, which may block, with a server and a folder beside its database.
func withFolder(
  _ arguments: [String] = [], _ body: @escaping @Sendable (CommandFolder, ServerProcess) throws -> Void
) async throws {
  try await withServer(arguments) { server in
    let folder = CommandFolder(path: (server.database as NSString).deletingLastPathComponent, port: server.port)
    try body(folder, server)
  }
}
