import DocketSQLite
import Foundation

/// A directory for the databases of one test. Each file in it that ends with `.db` is checked when the test ends.
public enum TemporaryDatabase {
  /// What `PRAGMA integrity_check` found in a test's database.
  public struct Corruption: Error, CustomStringConvertible {
    public let description: String
  }

  /// Calls `body` with the path of a database that does not exist yet, `docket.db` in a directory of its own, and then
  /// checks and removes what is there.
  public static func use<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Result
  ) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("docket-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let result = try await body(directory.appendingPathComponent("docket.db").path)
    for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) where name.hasSuffix(".db") {
      try check(directory.appendingPathComponent(name).path)
    }
    return result
  }

  /// Throws unless SQLite finds nothing wrong with a database.
  public static func check(_ path: String) throws {
    let connection = try Connection(path: path, access: .write)
    defer { connection.close() }
    let verdict = try connection.string("PRAGMA integrity_check") ?? "no answer"
    guard verdict == "ok" else { throw Corruption(description: "\(path): \(verdict)") }
  }
}
