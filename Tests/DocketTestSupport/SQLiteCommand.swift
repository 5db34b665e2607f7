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
    try run("/usr/bin/env", ["sqlite3", path], input: script)
  }

  /// Runs a line of shell in a directory.
  public static func shell(_ line: String, in directory: String) throws -> Outcome {
    try run("/bin/sh", ["-c", line], input: "", directory: directory)
  }

  private static func run(
    _ program: String, _ arguments: [String], input: String, directory: String? = nil
  ) throws -> Outcome {
    // Files and not pipes: neither side can wait for the other, however much is written.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("docket-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
    try Data(input.utf8).write(to: files[0])
    try Data().write(to: files[1])
    try Data().write(to: files[2])

    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
      error: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
  }
}
