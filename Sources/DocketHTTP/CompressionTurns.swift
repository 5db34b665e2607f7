import DequeModule
import DocketServer
import NIOCore

/// Lets one piece of one answer be compressed between two looks of an event loop at its sockets, however many answers wait for that:
/// the other connections of the loop wait for a piece at most. It lives on that loop.
final class CompressionTurns {
  private let eventLoop: any EventLoop
  private var waiting: Deque<() -> Void> = []

  init(on eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  /// Runs `work` when its turn comes.
  func take(_ work: @escaping () -> Void) {
    waiting.append(work)
    if waiting.count == 1 { goOn() }
  }

  private func goOn() {
    LoopTurns.shared.execute(on: eventLoop) { [self] in
      // It stays there meanwhile, so that what it asks for itself waits behind the others.
      waiting.first?()
      waiting.removeFirst()
      if !waiting.isEmpty { goOn() }
    }
  }
}
