import DocketService
import DocketStore
import Logging
import NIOCore

/// The contexts of all event loops that serve.
struct LoopSet: Sendable {
  private let watchHub: WatchHub
  private let keeper: AccessKeeper
  private let contexts: [NIOLoopBound<LoopContext>]

  init(
    group: any EventLoopGroup, repository: any DocumentRepository, configuration: DocketServer.Configuration,
    logger: Logger
  ) async throws {
    let watchHub = WatchHub(repository, limits: configuration.watchLimits)
    try watchHub.start()
    self.watchHub = watchHub
    let keeper = AccessKeeper(repository, gate: Gate(terms: configuration.access)) { .now }
    try keeper.start()
    try await keeper.waitUntilKnown()
    self.keeper = keeper
    var contexts: [NIOLoopBound<LoopContext>] = []
    for eventLoop in group.makeIterator() {
      let context = eventLoop.submit {
        let session = try repository.makeSession { work in eventLoop.execute(work) }
        return NIOLoopBound(
          LoopContext(
            eventLoop: eventLoop, session: session, watchHub: watchHub, keeper: keeper, configuration: configuration,
            logger: logger),
          eventLoop: eventLoop)
      }
      contexts.append(try await context.get())
    }
    self.contexts = contexts
  }

  /// Whether everybody may do everything.
  var isOpen: Bool { keeper.gate.isOpen }

  /// The context of the loop that this is called on.
  func context(of eventLoop: any EventLoop) -> LoopContext {
    guard let context = contexts.first(where: { $0.eventLoop === eventLoop }) else {
      preconditionFailure("every loop of the group has a context")
    }
    return context.value
  }

  /// Answers what was received, ends every connection, by force once the time is over, and closes the sessions.
  func finish(within seconds: Double) async {
    let deadline = NIODeadline.now() + .milliseconds(Int64(seconds * 1000))
    await withTaskGroup(of: Void.self) { group in
      for bound in contexts {
        let closed = bound.eventLoop.flatSubmit {
          let context = bound.value
          let force = bound.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { context.closeAll() }
          return context.finish().map { force.cancel() }
        }
        group.addTask { try? await closed.get() }
      }
    }
    await watchHub.stop()
    await keeper.stop()
    for bound in contexts {
      try? await bound.eventLoop.submit { bound.value.service.session.close() }.get()
    }
  }
}
