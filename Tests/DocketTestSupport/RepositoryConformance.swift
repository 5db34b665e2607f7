import DocketStore
import Foundation
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
    private let closesRepository: Bool
    private let body: @Sendable (any DocumentRepository) async throws -> Void

    /// - Parameter closesRepository: whether the body does that itself, to see what it does.
    init(
      _ promise: String, closesRepository: Bool = false,
      _ body: @escaping @Sendable (any DocumentRepository) async throws -> Void
    ) {
      description = promise
      self.closesRepository = closesRepository
      self.body = body
    }

    /// Throws if the promise is broken, and leaves the repository closed.
    /// - Parameter repository: a fresh, empty one.
    public func run(_ repository: any DocumentRepository) async throws {
      do {
        try await body(repository)
      } catch {
        if !closesRepository { await close(repository) }
        throw error
      }
      if !closesRepository { await close(repository) }
    }
  }

  /// A promise that was broken.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public static let checks: [Check] =
    writeChecks + byteChecks + orderChecks + scanChecks + collectionChecks + equalityChecks + patchChecks + termChecks
    + transactionChecks
    + pastChecks + changeChecks + queryChecks + ruleChecks
    + tokenChecks + backupChecks + answerChecks + concurrencyChecks + randomChecks
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

/// Closes the repository, which blocks, off the tasks' threads.
func close(_ repository: any DocumentRepository) async {
  await withCheckedContinuation { continuation in
    DispatchQueue.global().async {
      repository.close()
      continuation.resume()
    }
  }
}
