import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded

/// An event loop that runs when it is told to, on the thread that calls; unlike the embedded one it takes work from others.
final class FuzzLoop: EventLoop, NIOSerialEventLoopExecutor, @unchecked Sendable {
  // Unchecked because `timers` is the calling thread's alone, and `work` is touched only while the lock is held.
  private let timers = EmbeddedEventLoop()
  private let hasWork = ConditionLock(value: false)
  private var work: [@Sendable () -> Void] = []

  /// Nothing else runs anything here.
  var inEventLoop: Bool { true }

  func execute(_ task: @escaping @Sendable () -> Void) {
    hasWork.lock()
    work.append(task)
    hasWork.unlock(withValue: true)
  }

  /// Waits for work, and does it.
  func run() {
    guard hasWork.lock(whenValue: true, timeoutSeconds: 20) else { broken("an answer does not come") }
    let work = self.work
    self.work = []
    hasWork.unlock(withValue: false)
    for task in work { task() }
  }

  func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> { timers.submit(task) }

  func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    timers.scheduleTask(deadline: deadline, task)
  }

  func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    timers.scheduleTask(in: delay, task)
  }

  func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
    queue.async { callback(nil) }
  }
}
