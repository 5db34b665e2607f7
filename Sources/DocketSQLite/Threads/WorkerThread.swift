import Glibc

/// A thread of the store's own, for work that blocks.
struct WorkerThread: Sendable {
  private let id: pthread_t

  /// - Parameter name: at most 15 bytes, for debuggers and `top -H`.
  init(name: String, _ body: @escaping @Sendable () -> Void) {
    final class Body {
      let name: String
      let run: @Sendable () -> Void
      init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
      }
    }
    var id = pthread_t()
    let argument = Unmanaged.passRetained(Body(name: name, run: body)).toOpaque()
    let code = pthread_create(
      &id, nil,
      { argument in
        // The argument is the one that was passed below, whose reference this thread takes over.
        guard let argument else { return nil }
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        Self.nameThisThread(body.name)
        body.run()
        return nil
      }, argument)
    precondition(code == 0, "a process that opens a database may have a few threads")
    self.id = id
  }

  /// Waits until the thread has ended. To be called once.
  func join() {
    pthread_join(id, nil)
  }

  /// Swift cannot call glibc's `pthread_setname_np`, which is an extension; the kernel takes the name as a file, too.
  private static func nameThisThread(_ name: String) {
    guard let file = fopen("/proc/thread-self/comm", "w") else { return }
    fputs(name, file)
    fclose(file)
  }
}
