import NIOConcurrencyHelpers

/// Carries what the store's threads deliver to the main thread, which waits for it as an event loop would.
///
/// `@unchecked Sendable`: the work is touched only while the lock is held.
final class Inbox: @unchecked Sendable {
  private let hasWork = ConditionLock(value: false)
  private var work: [@Sendable () -> Void] = []

  func deliver(_ work: @escaping @Sendable () -> Void) {
    hasWork.lock()
    self.work.append(work)
    hasWork.unlock(withValue: true)
  }

  /// Waits for work, and does it.
  func run() {
    hasWork.lock(whenValue: true)
    let work = self.work
    self.work = []
    hasWork.unlock(withValue: false)
    for work in work { work() }
  }
}
