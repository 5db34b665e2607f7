import DocketStore

/// Syncs the log behind the writer's commits, and only then answers, in the order of the commits: one thread, so that the
/// writer carries out the next group meanwhile.
///
/// With 64 clients that wait for their answers a sync takes as long as all that the writer does for a group.
final class Acknowledger: Sendable {
  /// What is to be told of work that the writer is done with.
  struct Job: Sendable {
    let runs: [WriteBacklog.Run]
    let answers: [WorkAnswer]
    /// The newest commit that there was when the work was done.
    let commit: Int64
    /// Whether something was written to the log since the job before it.
    let needsSync: Bool
  }

  private struct State {
    var jobs: [Job] = []
    /// Whether somebody is at a job.
    var isBusy = false
    var isClosed = false
    /// Set once a sync has failed: from then on nothing is confirmed.
    var failure: StoreError?
  }

  private let state = Monitor(State())
  private let syncLog: (@Sendable () -> String?)?
  private let mark: SyncMark
  private let release: @Sendable (WorkSize) -> Void
  private let onFailure: @Sendable (StoreError) -> Void

  /// The writer may be so many groups ahead of the one that is being synced. With more, groups get smaller and cost more.
  private static let groupsAhead = 1

  /// - Parameters:
  ///   - syncLog: syncs the log, and says why not if it cannot; nil where commits need not survive a loss of power.
  ///   - mark: is told what is synced.
  ///   - release: gives back the room that answered work took in the queue.
  ///   - onFailure: called once, when a sync fails.
  init(
    syncLog: (@Sendable () -> String?)?, mark: SyncMark, release: @escaping @Sendable (WorkSize) -> Void,
    onFailure: @escaping @Sendable (StoreError) -> Void
  ) {
    self.syncLog = syncLog
    self.mark = mark
    self.release = release
    self.onFailure = onFailure
  }

  /// Why nothing is confirmed any more, if so.
  var failure: StoreError? { state.withLock { $0.failure } }

  /// Hands a job over.
  /// - Parameter isAlone: whether the writer has nothing else to do. Then it does the job itself if it can, which saves
  ///   waking a thread.
  func submit(_ job: Job, isAlone: Bool) {
    let isTaken = state.withLock { state in
      if isAlone, !state.isBusy, state.jobs.isEmpty {
        state.isBusy = true
        return true
      }
      state.jobs.append(job)
      return false
    }
    if isTaken { perform([job]) } else { state.broadcast() }
  }

  /// Waits until the writer may begin another group.
  func waitForRoom() {
    state.wait(until: { $0.jobs.count < Self.groupsAhead }) { _ in }
  }

  /// The thread: works until it is closed and nothing is left.
  func run() {
    while true {
      let jobs = state.wait(until: { !$0.isBusy && (!$0.jobs.isEmpty || $0.isClosed) }) { state -> [Job] in
        let jobs = state.jobs
        state.jobs = []
        state.isBusy = !jobs.isEmpty
        return jobs
      }
      if jobs.isEmpty { return }
      // The writer may go on to the next group while these are synced.
      state.broadcast()
      perform(jobs)
    }
  }

  /// Takes no more jobs; those that wait are done.
  func close() {
    state.withLock { $0.isClosed = true }
    state.broadcast()
  }

  private func perform(_ jobs: [Job]) {
    let failure = sync(jobs)
    for job in jobs { answer(job, failure) }
    state.withLock { $0.isBusy = false }
    state.broadcast()
  }

  /// Syncs what the jobs need. Returns why they cannot be confirmed, if so.
  private func sync(_ jobs: [Job]) -> StoreError? {
    if let failure { return failure }
    guard let newest = jobs.last else { return nil }
    if jobs.contains(where: \.needsSync), let reason = syncLog?() {
      let failure = StoreError.outcomeUnknown(reason: reason)
      state.withLock { $0.failure = failure }
      mark.didFail(failure)
      onFailure(failure)
      return failure
    }
    mark.didSync(newest.commit)
    return nil
  }

  private func answer(_ job: Job, _ failure: StoreError?) {
    var offset = 0
    var destinations: [AnswerDestination] = []
    for run in job.runs {
      let count = run.work.count
      let isFirst =
        failure.map { run.destination.append(ArraySlice(repeating: .failure($0), count: count)) }
        ?? run.destination.append(job.answers[offset..<offset + count])
      if isFirst { destinations.append(run.destination) }
      offset += count
      release(run.size)
    }
    for destination in destinations { destination.flush() }
  }
}
