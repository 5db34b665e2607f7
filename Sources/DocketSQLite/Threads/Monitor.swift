import Glibc

/// A value behind a lock, and a way to wait until it changes.
///
/// `@unchecked Sendable`: the value is touched only while the mutex is held.
final class Monitor<State>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var state: State

  init(_ state: sending State) {
    self.state = state
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    // Waits are measured by the clock that never jumps.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func withLock<Result>(_ body: (inout State) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&state)
  }

  /// Wakes one thread that waits, if any.
  func signal() {
    pthread_cond_signal(condition)
  }

  /// Wakes all threads that wait.
  func broadcast() {
    pthread_cond_broadcast(condition)
  }

  /// Waits until the value fulfils `condition` or the time is up, then runs `body` under the same lock.
  /// - Parameter timeoutMilliseconds: nil waits without end.
  func wait<Result>(
    until fulfilled: (borrowing State) -> Bool, timeoutMilliseconds: Int64? = nil, _ body: (inout State) -> Result
  ) -> Result {
    var deadline = timespec()
    if let timeoutMilliseconds {
      clock_gettime(CLOCK_MONOTONIC, &deadline)
      let nanoseconds = Int64(deadline.tv_nsec) + timeoutMilliseconds % 1000 * 1_000_000
      deadline.tv_sec += Int(timeoutMilliseconds / 1000 + nanoseconds / 1_000_000_000)
      deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !fulfilled(state) {
      if timeoutMilliseconds == nil {
        pthread_cond_wait(condition, mutex)
      } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
        break
      }
    }
    return body(&state)
  }
}
