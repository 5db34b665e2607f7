import DocketStore
import DocketTestSupport
import NIOConcurrencyHelpers
import Testing

@testable import DocketService

@Suite("What keeps a gate up to date")
struct AccessKeeperTests {
  @Test("a change is not answered while the tokens cannot be read, and is once they can")
  func unreadable() async throws {
    let repository = FaultyTokens()
    let keeper = AccessKeeper(repository, gate: Gate()) { .now }
    try keeper.start()
    try await keeper.waitUntilKnown()
    #expect(keeper.gate.isOpen)

    repository.fails = true
    let token = NewToken(
      id: "1", name: "a", rules: .everything, digest: Array(repeating: 7, count: 32), expires: nil)
    let session = try SessionDriver(repository)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      session.tick { $0.add(token) { _ in continuation.resume() } }
    }
    let (answered, gate) = (NIOLockedValueBox<Bool?>(nil), keeper.gate)
    keeper.refresh { answered.withLockedValue { $0 = gate.isOpen } }
    let before = repository.failures
    // The reading that was on its way when it was told, the one that it was told for, and one more.
    while repository.failures < before + 3 { await Task.yield() }
    #expect(answered.withLockedValue { $0 } == nil)

    repository.fails = false
    while answered.withLockedValue({ $0 }) == nil { await Task.yield() }
    #expect(answered.withLockedValue { $0 } == false, "it was answered while the gate was open")
    await keeper.stop()
    await session.close()
    repository.close()
  }
}

/// A repository whose tokens cannot be read for as long as a test says so.
private final class FaultyTokens: DocumentRepository {
  private struct State {
    var fails = false
    var failures = 0
  }

  private let base = InMemoryRepository()
  private let state = NIOLockedValueBox(State())

  var fails: Bool {
    get { state.withLockedValue(\.fails) }
    set { state.withLockedValue { $0.fails = newValue } }
  }

  var failures: Int { state.withLockedValue(\.failures) }

  func makeSession(
    deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(StoreError) -> any RepositorySession { try base.makeSession(deliver: deliver) }

  func follow(
    urgently: Bool, _ body: @escaping @Sendable (any ChangeReader) -> Void
  ) throws(StoreError) -> @Sendable () -> Void {
    try base.follow(urgently: urgently) { [state] reader in
      body(
        Reader(base: reader) {
          state.withLockedValue { state in
            if state.fails { state.failures += 1 }
            return state.fails
          }
        })
    }
  }

  func keepChanges(after sequence: Revision?) { base.keepChanges(after: sequence) }
  func waitForFailure() async throws -> StoreError { try await base.waitForFailure() }
  func prepareToClose() { base.prepareToClose() }
  func close() { base.close() }

  private final class Reader: ChangeReader {
    private let base: any ChangeReader
    private let fails: () -> Bool

    init(base: any ChangeReader, fails: @escaping () -> Bool) {
      self.base = base
      self.fails = fails
    }

    func wait(forChanges: Bool, milliseconds: Int64?) -> Bool {
      base.wait(forChanges: forChanges, milliseconds: milliseconds)
    }

    func tokens() -> Result<TokenRoll, StoreError> {
      fails() ? .failure(.failed(reason: "disk I/O error")) : base.tokens()
    }

    func changes(
      _ range: ChangeRange, of interest: ChangeInterest, visit: (Change) -> ScanStep
    ) -> Result<ChangeProgress, StoreError> { base.changes(range, of: interest, visit: visit) }

    func newest() -> Result<(sequence: Revision, history: String), StoreError> { base.newest() }

    func query(_ query: Query, visit: (DocumentView) -> ScanStep) -> Result<QueryReport, StoreError> {
      base.query(query, visit: visit)
    }

    func document(at path: DocumentPath, asOf moment: PastMoment) -> Result<Document?, StoreError> {
      base.document(at: path, asOf: moment)
    }
  }
}
