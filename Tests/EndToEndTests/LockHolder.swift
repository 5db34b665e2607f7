import DocketTestSupport

/// A sqlite3 process that holds the write lock until it is told to give it back.
final class LockHolder {
  private let process: ChildProcess

  init(_ database: String) throws {
    process = try ChildProcess("sqlite3", ["-bail", database], hasInput: true)
    try process.send(".timeout 10000\nBEGIN IMMEDIATE;\n.print held\n")
    guard process.readLine() == "held" else {
      throw ChildProcess.Failure(description: "no lock: \(process.errorOutput)")
    }
  }

  func release() throws {
    try process.send("ROLLBACK;\n")
    process.finishSending()
    _ = process.waitForEnd()
  }
}
