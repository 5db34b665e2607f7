import CoreMetrics
import DocketStore

/// What is counted of writing, through swift-metrics.
struct WriteMeters: Sendable {
  private let groupSize: Recorder
  private let groupDuration: Timer
  private let logSync: Timer

  init(_ factory: any MetricsFactory) {
    groupSize = Recorder(label: StoreMetric.writeGroup, factory: factory)
    groupDuration = Timer(label: StoreMetric.writeGroupDuration, factory: factory)
    logSync = Timer(label: StoreMetric.logSync, factory: factory)
  }

  /// A group of writes has been committed.
  /// - Parameter began: by the uptime clock, in nanoseconds.
  func didCommit(writes: Int, began: Int64) {
    groupSize.record(Int64(writes))
    groupDuration.recordNanoseconds(WallClock.uptimeNanoseconds() - began)
  }

  /// Runs what syncs the log, and counts how long it took.
  func countingSync(_ sync: @escaping @Sendable () -> String?) -> @Sendable () -> String? {
    { [logSync] in
      let began = WallClock.uptimeNanoseconds()
      defer { logSync.recordNanoseconds(WallClock.uptimeNanoseconds() - began) }
      return sync()
    }
  }
}
