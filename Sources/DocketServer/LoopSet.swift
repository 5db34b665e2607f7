import DocketService
import DocketStore
import Logging
import NIOCore

/// The contexts of all event loops that serve.
struct LoopSet: Sendable {
  private let contexts: [NIOLoopBound<LoopContext>]

  init(
    group: any EventLoopGroup, store: ServedStore, limits: ServerLimits, logger: Logger
  ) async throws {
    var contexts: [NIOLoopBound<LoopContext>] = []
    for (number, eventLoop) in group.makeIterator().enumerated() {
      let context = eventLoop.submit {
        NIOLoopBound(
          try LoopContext(
            eventLoop: eventLoop, number: number, store: store, limits: limits, logger: logger), eventLoop: eventLoop)
      }
      contexts.append(try await context.get())
    }
    self.contexts = contexts
  }

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
    for bound in contexts {
      try? await bound.eventLoop.submit { bound.value.service.session.close() }.get()
    }
  }
}
