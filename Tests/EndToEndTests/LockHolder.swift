import Foundation

/// A sqlite3 process that holds the write lock until it is told to give it back.
final class LockHolder {
  private let process = Process()
  private let input = Pipe()

  init(_ database: String) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["sqlite3", "-bail", database]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(".timeout 10000\nBEGIN IMMEDIATE;\n.print held\n".utf8))
    // Its first line says that it has the lock.
    _ = try output.fileHandleForReading.read(upToCount: 1)
  }

  func release() throws {
    try input.fileHandleForWriting.write(contentsOf: Data("ROLLBACK;\n".utf8))
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
