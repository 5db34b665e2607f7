import DocketStore
import NIOConcurrencyHelpers

/// A reader of changes, with calls that can be awaited.
public final class FollowDriver: Sendable {
  private let jobs = NIOLockedValueBox<[@Sendable (any ChangeReader) -> Void]>([])
  private let wakeReader: @Sendable () -> Void

  public init(_ repository: any DocumentRepository) throws(StoreError) {
    wakeReader = try repository.follow { [jobs] reader in
      repeat {
        while true {
          let job = jobs.withLockedValue { $0.isEmpty ? nil : $0.removeFirst() }
          guard let job else { break }
          job(reader)
        }
      } while reader.wait(forChanges: false, milliseconds: nil)
    }
  }

  /// Has something done with the reader, on its thread.
  public func perform<Value: Sendable>(
    _ body: @escaping @Sendable (any ChangeReader) -> Value
  ) async -> Value {
    await withCheckedContinuation { continuation in
      jobs.withLockedValue { $0.append { continuation.resume(returning: body($0)) } }
      wakeReader()
    }
  }

  public func wake() { wakeReader() }

  /// One reading of changes, and how far it came.
  /// - Parameter stopAt: the visitor says stop when it is told this one, which is not among those that are returned.
  public func changes(
    _ range: ChangeRange, of interest: @escaping @Sendable (DocumentPath) -> Bool = { _ in true },
    stopAt stop: Revision? = nil
  ) async throws -> (changes: [Change], progress: ChangeProgress) {
    let result = await perform { reader -> Result<(changes: [Change], progress: ChangeProgress), StoreError> in
      var changes: [Change] = []
      let progress = reader.changes(
        range,
        of: { collection, id in
          interest(DocumentPath(String(decoding: collection, as: UTF8.self), String(decoding: id, as: UTF8.self)))
        },
        visit: { change in
          if change.sequence == stop { return .stop }
          changes.append(change)
          return .next
        })
      return progress.map { (changes, $0) }
    }
    return try result.get()
  }
}

extension SessionDriver {
  /// One reading of changes, how far it came, and the name of the history.
  /// - Parameter stopAt: the visitor says stop when it is told this one, which is not among those that are returned.
  public func changes(
    _ range: ChangeRange, stopAt stop: Revision? = nil
  ) async throws -> (changes: [Change], progress: ChangeProgress, history: String) {
    let found: ([Change], ChangeProgress, String, Bool) = try await answer { [self] session, completion in
      session.changes(
        range, into: ([Change](), false),
        visit: { [self] state, change in
          if isOnExecutor { state.1 = true }
          if change.sequence == stop { return .stop }
          state.0.append(change)
          return .next
        }, completion: { completion($0.map { ($0.state.0, $0.progress, $0.history, $0.state.1) }) })
    }
    if found.3 { throw Violation(description: "a visit on the executor") }
    return (found.0, found.1, found.2)
  }

  public func newestRevision() async throws -> Revision {
    try await answer { session, completion in completion(session.newestRevision()) }
  }

  /// Makes writes in a batch of one transaction.
  public func batch(_ writes: [Write]) async throws {
    let transaction = Transaction<Void>(.batch, bytes: 1, key: nil) { access in
      for write in writes { access.submit(write) { _ in } }
      return TransactionResult((), keepsWrites: true, kept: nil)
    }
    _ = try await transact(transaction)
  }
}
