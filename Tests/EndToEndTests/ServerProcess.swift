import DocketTestSupport
import Foundation

/// A running `docket serve`.
final class ServerProcess: Sendable {
  let process: ChildProcess
  let database: String
  let port: Int
  let readyLine: String

  /// Starts a server, on a free port unless told otherwise, and waits until it says that it is ready.
  init(
    database: String, port: Int = 0, _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws {
    self.database = database
    process = try ChildProcess(
      Docket.path, ["serve", "--port", "\(port)", "--database", database] + arguments, environment: environment)
    guard let line = process.readLine() else {
      let ending = process.waitForEnd().map { "\($0)" } ?? "still running"
      throw ChildProcess.Failure(description: "no ready line, \(ending): \(process.errorOutput)")
    }
    let digits = line.prefix(while: { $0 != "," }).split(separator: " ").lazy
      .filter { $0.contains(":") }.compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }
    guard let port = digits.first else {
      throw ChildProcess.Failure(description: "no port in the ready line: \(line)")
    }
    readyLine = line
    self.port = port
  }

  func connect() throws -> RawSocket { try RawSocket(port: port) }

  /// Sends one frame on a connection of its own and returns all that comes back.
  func exchange(_ frame: String) throws -> String {
    let socket = try connect()
    try socket.send(frame + "\0")
    return try socket.receiveToEnd()
  }

  /// Sends requests one after another over one persistent connection and returns the answers.
  func answers(_ requests: [String]) throws -> [String] {
    let client = try connect()
    try client.send(#"{"method":"GET","path":"/_health","headers":{"Connection":"keep-alive"}}"# + "\0")
    _ = try client.receiveFrame()
    return try requests.map { request in
      try client.send(request + "\0")
      return try client.receiveFrame() ?? "nothing"
    }
  }

  /// The memory that it has in use (proc(5), VmRSS).
  func residentBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) << 10
  }

  /// What it has had of processors (proc(5), in ticks of 10 ms).
  func processorSeconds() throws -> Double {
    let status = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
    let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
    return (11...12).reduce(0) { $0 + (fields.count > $1 ? Double(fields[$1]) ?? 0 : 0) } / 100
  }

  /// What it has logged that an operator should look at: everything but notices.
  var complaints: [Substring] {
    process.errorOutput.split(separator: "\n").filter { !$0.contains(" notice docket: ") }
  }

  /// Ends it as an operator does.
  func stop() -> ChildProcess.Ending? {
    process.signal(SIGTERM)
    return process.waitForEnd()
  }

  /// Ends it as a loss of power would, as far as the process goes.
  func kill() -> ChildProcess.Ending? {
    process.signal(SIGKILL)
    return process.waitForEnd()
  }
}
