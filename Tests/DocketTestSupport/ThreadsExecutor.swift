import Foundation

/// Runs tasks beside the threads that tasks share, of which there are as many as processors: what blocks would stop others there, and
/// what has a deadline would wait for tests that compute.
public final class ThreadsExecutor: TaskExecutor {
  private let queue = DispatchQueue(label: "docket.test.tasks", attributes: .concurrent)

  public init() {}

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
