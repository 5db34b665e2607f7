import DocketStore
import DocketWire

/// A store as it is served: what all the ways in have in common, whichever protocol they speak.
public final class ServedStore: Sendable {
  public let repository: any DocumentRepository
  public let wireLimits: WireLimits
  public let serviceLimits: ServiceLimits
  public let meters: ServerMeters
  /// Of what waits to be taken by clients.
  public let answers: AnswerRoom
  private let watchHub: WatchHub
  private let keeper: AccessKeeper

  /// Begins to follow the store's changes and tokens. `close` ends that.
  public init(
    _ repository: any DocumentRepository, wireLimits: WireLimits = WireLimits(),
    serviceLimits: ServiceLimits = ServiceLimits(), watchLimits: WatchLimits = WatchLimits(),
    access: AccessTerms = AccessTerms(), meters: ServerMeters = ServerMeters()
  ) async throws(StoreError) {
    self.meters = meters
    self.repository = repository
    self.wireLimits = wireLimits
    self.serviceLimits = serviceLimits
    answers = AnswerRoom(limitBytes: serviceLimits.answerTotalBytes)
    watchHub = WatchHub(repository, limits: watchLimits)
    try watchHub.start()
    keeper = AccessKeeper(repository, gate: Gate(terms: access)) { .now }
    try keeper.start()
    try await keeper.waitUntilKnown()
  }

  /// Who is let in.
  public var gate: Gate { keeper.gate }

  public var router: Router { Router(limits: wireLimits, serviceLimits: serviceLimits) }

  /// Makes a session for an executor, and what carries out requests on it.
  /// - Parameter execute: runs work on the executor, in the order of the calls.
  public func makeService(
    execute: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) throws(StoreError) -> DocumentService {
    let service = DocumentService(
      session: try repository.makeSession(deliver: execute), limits: serviceLimits, answers: answers,
      watchHub: watchHub,
      meters: meters)
    service.accessChanged = { [keeper] done in
      let done = ExecutorBound(done)
      keeper.refresh { execute { done.value() } }
    }
    return service
  }

  /// Ends what takes long, while there are clients to be told. The server is ending.
  public func prepareToClose() { repository.prepareToClose() }

  /// Ends what follows the store; nobody is told anything afterwards. The repository stays open.
  public func close() async {
    await watchHub.stop()
    await keeper.stop()
  }
}

/// Something that travels through other threads and is touched on its own executor alone.
private struct ExecutorBound<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) { self.value = value }
}
