import DocketMetrics

/// Requests that were answered since they were last told to the meter: plain numbers of one event loop, so that counting one
/// takes an addition.
///
/// What is answered within the tick that took it up has taken no longer than the tick, and is counted as having taken just
/// that. So the clock is read twice for a tick, however many requests it answers.
public struct RequestTally: ~Copyable {
  /// Reads of documents that were answered at once, in this tick. By themselves, since they are the most.
  public var readsAtOnce: UInt64 = 0
  /// The others that were answered in this tick, by kind and outcome.
  private var inTick = [UInt64](repeating: 0, count: Self.kinds * Self.outcomes)
  private var isTouched = false
  /// By kind and outcome.
  private var counts = [UInt64](repeating: 0, count: Self.kinds * Self.outcomes)
  /// By kind and bucket.
  private var buckets = [UInt64](repeating: 0, count: Self.kinds * Self.bucketCount)
  private var nanoseconds = [UInt64](repeating: 0, count: Self.kinds)
  private var isEmpty = true

  static let kinds = RequestKind.allCases.count
  static let outcomes = RequestOutcome.allCases.count
  static let bounds = MetricRegistry.seconds
  static let bucketCount = bounds.count + 1
  private static let boundsInNanoseconds = bounds.map { UInt64(($0 * 1e9).rounded()) }

  public init() {}

  /// Whether anything was answered in this tick.
  public var hasAnsweredInTick: Bool { readsAtOnce > 0 || isTouched }

  /// Counts a request that was answered within its tick.
  public mutating func addInTick(_ kind: RequestKind, _ outcome: RequestOutcome) {
    inTick[Self.place(kind, outcome)] &+= 1
    isTouched = true
  }

  /// Counts what was answered in the tick that has ended.
  /// - Parameter duration: of the tick, in nanoseconds.
  public mutating func endTick(duration: UInt64) {
    if readsAtOnce > 0 {
      add(.read, .ok, count: readsAtOnce, duration: duration)
      readsAtOnce = 0
    }
    guard isTouched else { return }
    isTouched = false
    for kind in RequestKind.allCases {
      for outcome in RequestOutcome.allCases where inTick[Self.place(kind, outcome)] > 0 {
        add(kind, outcome, count: inTick[Self.place(kind, outcome)], duration: duration)
        inTick[Self.place(kind, outcome)] = 0
      }
    }
  }

  /// Counts requests, each of which was answered so long after it had been taken up.
  /// - Parameter duration: in nanoseconds.
  public mutating func add(_ kind: RequestKind, _ outcome: RequestOutcome, count: UInt64 = 1, duration: UInt64) {
    isEmpty = false
    counts[Self.place(kind, outcome)] &+= count
    nanoseconds[Int(kind.rawValue)] &+= count &* duration
    var bucket = 0
    while bucket < Self.bucketCount - 1, duration > Self.boundsInNanoseconds[bucket] { bucket += 1 }
    buckets[Int(kind.rawValue) * Self.bucketCount + bucket] &+= count
  }

  private static func place(_ kind: RequestKind, _ outcome: RequestOutcome) -> Int {
    Int(kind.rawValue) * outcomes + Int(outcome.rawValue)
  }

  /// Tells the meter what has been counted, and begins anew.
  public mutating func flush(into meter: RequestMeter) {
    guard !isEmpty else { return }
    meter.add(counts: counts, buckets: buckets, nanoseconds: nanoseconds)
    isEmpty = true
    for index in counts.indices { counts[index] = 0 }
    for index in buckets.indices { buckets[index] = 0 }
    for index in nanoseconds.indices { nanoseconds[index] = 0 }
  }
}
