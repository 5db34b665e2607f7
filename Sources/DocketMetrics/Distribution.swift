/// How values were spread: how many fell into each bucket, and their sum. Buckets are those of Prometheus' histograms
/// (https://prometheus.io/docs/concepts/metric_types/#histogram), counted apart from each other here; an exposition adds them up.
public struct Distribution: Sendable, Equatable {
  /// The largest value of each bucket but the last, which takes all that is larger; ascending.
  public let bounds: [Double]
  /// One more than there are bounds.
  public private(set) var counts: [UInt64]
  public private(set) var sum: Double = 0

  public init(bounds: [Double]) {
    precondition(zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds ascend")
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  public var count: UInt64 { counts.reduce(0, &+) }

  public mutating func add(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    sum += value
  }

  /// Adds values that were counted elsewhere.
  /// - Parameter counts: one for each bucket.
  public mutating func add(counts others: some Sequence<UInt64>, sum otherSum: Double) {
    for (index, other) in others.enumerated() { counts[index] += other }
    sum += otherSum
  }

  public mutating func add(_ other: Distribution) {
    precondition(bounds == other.bounds, "only what is counted alike is added up")
    add(counts: other.counts, sum: other.sum)
  }

  /// A value that so great a part of all is not above, estimated as Prometheus' `histogram_quantile` does: evenly within
  /// a bucket; the last bound for what is beyond it. nil where there is no value.
  /// - Parameter part: from 0 to 1.
  public func quantile(_ part: Double) -> Double? {
    let total = count
    guard total > 0 else { return nil }
    let rank = part * Double(total)
    var below: UInt64 = 0
    for (index, bound) in bounds.enumerated() {
      let inside = counts[index]
      if inside > 0, Double(below + inside) >= rank {
        let start = index == 0 ? 0 : bounds[index - 1]
        return start + (bound - start) * max(0, rank - Double(below)) / Double(inside)
      }
      below += inside
    }
    return bounds.last
  }
}
