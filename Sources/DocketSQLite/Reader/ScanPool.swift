import DocketStore

/// A few threads for what reads long: scans, and the store's account of itself. Each has a connection of its own.
final class ScanPool: Sendable {
  typealias Job = @Sendable (ScanReader) -> Void

  private struct State {
    var jobs: [Job] = []
    var isClosed = false
  }

  private let state = Monitor(State())
  private let stop: ScanReader.Stop
  private let threads: [WorkerThread]
  private let queueLength: Int

  private let gate: ReaderGate

  /// - Parameters:
  ///   - readers: one a thread, which takes it over; all end by `stop`.
  ///   - gate: what each job passes.
  init(_ readers: [ScanReader], stop: ScanReader.Stop, gate: ReaderGate, queueLength: Int) {
    self.gate = gate
    self.stop = stop
    self.queueLength = queueLength
    let state = state
    threads = readers.map { reader in WorkerThread(name: "docket-scan") { Self.run(reader, state, gate) } }
  }

  /// Has a job done by the next thread that is free. Returns why not, if not.
  func submit(_ job: @escaping Job) -> StoreError? {
    let refusal = state.withLock { state -> StoreError? in
      if state.isClosed { return .closed }
      if state.jobs.count >= queueLength { return .tooManyScans(limit: queueLength) }
      state.jobs.append(job)
      return nil
    }
    if refusal == nil { state.signal() }
    return refusal
  }

  /// Takes no more jobs, ends those that run or wait, and returns when the threads have closed their connections.
  func close() {
    stop.isSet.store(true, ordering: .relaxed)
    state.withLock { $0.isClosed = true }
    state.broadcast()
    gate.end()
    for thread in threads { thread.join() }
  }

  private static func run(_ reader: ScanReader, _ state: Monitor<State>, _ gate: ReaderGate) {
    while true {
      let job = state.wait(until: { !$0.jobs.isEmpty || $0.isClosed }) { state in
        state.jobs.isEmpty ? nil : state.jobs.removeFirst()
      }
      guard let job else { break }
      gate.enter()
      job(reader)
      gate.leave()
    }
    reader.close()
  }
}
