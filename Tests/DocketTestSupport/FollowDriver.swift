import DocketStore
import NIOConcurrencyHelpers

/// A reader of changes, with calls that can be awaited.
public final class FollowDriver: Sendable {
  private typealias Job = @Sendable (any ChangeReader) -> Void

  /// nil once the repository is closing or has failed, and nothing is read any more.
  private let jobs = NIOLockedValueBox<[Job]?>([])
  private let wakeReader: @Sendable () -> Void

  public init(_ repository: any DocumentRepository, urgently: Bool = true) throws(StoreError) {
    wakeReader = try repository.follow(urgently: urgently) { [jobs] reader in
      repeat {
        while let job = jobs.withLockedValue({ $0?.isEmpty == false ? $0?.removeFirst() : nil }) { job(reader) }
      } while reader.wait(forChanges: false, milliseconds: nil)
      // Those that were given before that was known.
      let last = jobs.withLockedValue { jobs in
        defer { jobs = nil }
        return jobs ?? []
      }
      for job in last { job(reader) }
    }
  }

  /// Has something done with the reader, on its thread.
  public func perform<Value: Sendable>(
    _ body: @escaping @Sendable (any ChangeReader) -> Value
  ) async -> Value {
    await begin(body).value
  }

  /// What something comes to that is done with the reader.
  public struct Errand<Value: Sendable>: Sendable {
    fileprivate let values: AsyncStream<Value>

    public var value: Value {
      get async {
        for await value in values { return value }
        preconditionFailure("it is asked for twice")
      }
    }
  }

  /// Has something done with the reader, on its thread, without waiting until it is: it will be, whatever happens behind this call.
  public func begin<Value: Sendable>(_ body: @escaping @Sendable (any ChangeReader) -> Value) -> Errand<Value> {
    let (values, result) = AsyncStream<Value>.makeStream()
    jobs.withLockedValue { jobs in
      precondition(jobs != nil, "the repository is closing or has failed")
      jobs?.append { reader in
        result.yield(body(reader))
        result.finish()
      }
    }
    wakeReader()
    return Errand(values: values)
  }

  public func wake() { wakeReader() }

  /// One reading of changes, and how far it came.
  /// - Parameter stopAt: the visitor says stop when it is told this one, which is not among those that are returned.
  public func changes(
    _ range: ChangeRange, of interest: @escaping @Sendable (DocumentPath) -> Bool = { _ in true },
    stopAt stop: Revision? = nil
  ) async throws -> (changes: [Change], progress: ChangeProgress) {
    try await beginChanges(range, of: interest, stopAt: stop).value.get()
  }

  /// The same, without waiting for what comes of it.
  public func beginChanges(
    _ range: ChangeRange, of interest: @escaping @Sendable (DocumentPath) -> Bool = { _ in true },
    stopAt stop: Revision? = nil
  ) -> Errand<Result<(changes: [Change], progress: ChangeProgress), StoreError>> {
    begin { reader -> Result<(changes: [Change], progress: ChangeProgress), StoreError> in
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
