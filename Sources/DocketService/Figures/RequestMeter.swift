import DocketMetrics
import NIOConcurrencyHelpers

/// All requests that were answered since the server began, and how long they took. Event loops tell it what they have counted
/// every 250 ms, so it is behind by that much.
public final class RequestMeter: Sendable {
  private struct Totals {
    var counts = [UInt64](repeating: 0, count: RequestTally.kinds * RequestTally.outcomes)
    var durations = [Distribution](
      repeating: Distribution(bounds: RequestTally.bounds), count: RequestTally.kinds)
  }

  private let totals = NIOLockedValueBox(Totals())

  public init() {}

  func add(counts: [UInt64], buckets: [UInt64], nanoseconds: [UInt64]) {
    totals.withLockedValue { totals in
      for (place, count) in counts.enumerated() { totals.counts[place] += count }
      for kind in 0..<RequestTally.kinds {
        let start = kind * RequestTally.bucketCount
        totals.durations[kind].add(
          counts: buckets[start..<start + RequestTally.bucketCount], sum: Double(nanoseconds[kind]) / 1e9)
      }
    }
  }

  /// What there was of one kind.
  public struct Account: Sendable {
    public let kind: RequestKind
    /// One for each outcome.
    public let counts: [UInt64]
    /// In seconds.
    public let durations: Distribution

    public func count(_ outcome: RequestOutcome) -> UInt64 { counts[Int(outcome.rawValue)] }
  }

  /// One for each kind.
  public var accounts: [Account] {
    totals.withLockedValue { totals in
      RequestKind.allCases.map { kind in
        let start = Int(kind.rawValue) * RequestTally.outcomes
        return Account(
          kind: kind, counts: Array(totals.counts[start..<start + RequestTally.outcomes]),
          durations: totals.durations[Int(kind.rawValue)])
      }
    }
  }

  var families: [MetricFamily] {
    var requests = MetricFamily(
      .counter, "docket_requests_total",
      help: "Requests that were answered: ok, refused (400 to 499) or failed (from 500).")
    var durations = MetricFamily(
      .histogram, "docket_request_duration_seconds", help: "From a request's being taken up to its answer, in seconds.")
    for account in accounts {
      for outcome in RequestOutcome.allCases {
        requests.add(Double(account.count(outcome)), ("kind", "\(account.kind)"), ("outcome", "\(outcome)"))
      }
      durations.add(account.durations, ("kind", "\(account.kind)"))
    }
    return [requests, durations]
  }
}
