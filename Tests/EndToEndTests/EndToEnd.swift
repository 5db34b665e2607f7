import DocketTestSupport
import Foundation
import Testing

/// Tests of the real binary: processes, sockets and files. They run one after another, so that what one does to the
/// machine is no part of what another sees.
@Suite("The docket binary", .serialized)
enum EndToEnd {
  /// Whether the binary is one that a sanitizer watches (`make sanitize`): it takes more time, and files of its own.
  static let isSanitized = ProcessInfo.processInfo.environment["DOCKET_TEST_SANITIZER"] != nil
}

/// Runs a body that blocks off the threads of tasks, which are few and must not block.
///
/// It stays in its task, so that what it finds is laid to its test.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withTaskExecutorPreference(ThreadsExecutor()) { try body() }
}

/// Calls `body`, which may block, with the path of a database that does not exist yet; checks it when the body ends.
func withDatabase(_ body: @escaping @Sendable (String) throws -> Void) async throws {
  try await TemporaryDatabase.use { path in
    try await blocking { try body(path) }
  }
}

/// Calls `body`, which may block, with a server on a database of its own; ends it as an operator does.
func withServer(
  _ arguments: [String] = [], _ body: @escaping @Sendable (ServerProcess) throws -> Void
) async throws {
  try await withDatabase { database in
    let server = try ServerProcess(database: database, arguments)
    try body(server)
    #expect(server.stop() == .exited(0))
  }
}

/// A number that a longer run sets in the environment.
func count(_ variable: String, default value: Int) -> Int {
  ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? value
}
