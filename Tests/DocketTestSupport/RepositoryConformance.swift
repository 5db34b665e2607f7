import DocketStore
import NIOCore

/// What every `DocumentRepository` must do, as checks that a test target runs on its own repository.
///
///     @Test("The store keeps the contract", arguments: RepositoryConformance.checks)
///     func conforms(check: RepositoryConformance.Check) async throws {
///       try await check.run(InMemoryRepository())
///     }
public enum RepositoryConformance {
  /// One promise and the way to find out whether it is kept.
  public struct Check: Sendable, CustomStringConvertible {
    /// The promise.
    public let description: String
    private let body: @Sendable (any DocumentRepository) async throws -> Void

    init(_ promise: String, _ body: @escaping @Sendable (any DocumentRepository) async throws -> Void) {
      description = promise
      self.body = body
    }

    /// Throws if the promise is broken. Closing the repository is left to the caller, who may do so twice.
    /// - Parameter repository: a fresh, empty one.
    public func run(_ repository: any DocumentRepository) async throws {
      try await body(repository)
    }
  }

  /// A promise that was broken.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public static let checks: [Check] =
    writeChecks + byteChecks + orderChecks + scanChecks + equalityChecks + patchChecks + answerChecks
    + concurrencyChecks + randomChecks
}

func expect(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) throws {
  if !condition { throw RepositoryConformance.Failure(description: "\(file):\(line): \(message())") }
}

func expectEqual<Value: Equatable>(
  _ found: Value, _ expected: Value, _ what: @autoclosure () -> String = "", file: StaticString = #fileID,
  line: UInt = #line
) throws {
  if found != expected {
    throw RepositoryConformance.Failure(
      description: "\(file):\(line): \(what()): found \(found), expected \(expected)")
  }
}
