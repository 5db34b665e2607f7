import Histogram

/// What a bench has measured.
struct BenchResult: Sendable {
  /// From the moment at which a request was sent, or at a fixed rate should have been, to its whole answer, or to each watcher
  /// that was told of it; in nanoseconds.
  var latencies = Histogram<UInt64>(highestTrackableValue: 3_600_000_000_000)
  /// How many answers had each code.
  var codes: [Int: Int] = [:]
  var nanoseconds: UInt64 = 0

  var answers: Int { codes.values.reduce(0, +) }
  /// How often something came whose latency counts.
  var arrivals: Int { Int(latencies.totalCount) }

  private func perSecond(_ count: Int) -> Double { nanoseconds == 0 ? 0 : Double(count) * 1e9 / Double(nanoseconds) }

  private static let percentiles = [50, 90, 99, 99.9, 99.99]

  /// For people.
  func report(_ plan: BenchPlan) -> String {
    var lines = [
      "\(plan.workload.rawValue): \(grouped(Int(perSecond(arrivals).rounded()))) \(plan.arrivals)/s (\(grouped(arrivals)) in \(decimal(Double(nanoseconds) / 1e9, 1)) s)",
      "  \(plan.connections) connections, \(plan.pipeline) at once on each, documents of \(plan.documentBytes) bytes, \(grouped(plan.keys)) keys (\(plan.distribution.rawValue))",
      "  latency: "
        + (Self.percentiles.map { "p\(trimmed($0)) \(time(latencies.valueAtPercentile($0)))" }
        + ["max \(time(latencies.max))"]).joined(separator: ", "),
      "  answers: "
        + codes.sorted { $0.key < $1.key }.map { "\($0.key): \(grouped($0.value))" }.joined(separator: ", "),
    ]
    if let watchers = plan.watchers {
      lines.insert(
        "  \(grouped(watchers)) watchers of \(decimal(perSecond(answers), 1)) writes/s; latency is from a write to each of them",
        at: 1)
    }
    if arrivals > 0 { lines += [""] + plot }
    return lines.joined(separator: "\n")
  }

  /// For programs: one line.
  func json(_ plan: BenchPlan) -> String {
    let latency =
      (Self.percentiles.map { "\"p\(trimmed($0))\": \(latencies.valueAtPercentile($0) / 1_000)" }
      + ["\"max\": \(latencies.max / 1_000)", "\"mean\": \(Int(latencies.mean / 1_000))"]).joined(separator: ", ")
    let codes = codes.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
    let rate = plan.rate.map { decimal($0, 1) } ?? "null"
    let watching =
      plan.watchers.map {
        "\"watchers\": \($0), \"eventsPerSecond\": \(decimal(perSecond(arrivals), 1)), \"events\": \(arrivals), "
      } ?? ""
    return """
      {"workload": "\(plan.workload.rawValue)", "requestsPerSecond": \(decimal(perSecond(answers), 1)), \
      "requests": \(answers), "seconds": \(decimal(Double(nanoseconds) / 1e9, 3)), "connections": \(plan.connections), \
      "pipeline": \(plan.pipeline), "documentBytes": \(plan.documentBytes), "keys": \(plan.keys), \
      "distribution": "\(plan.distribution.rawValue)", "rate": \(rate), \(watching)"latencyMicroseconds": {\(latency)}, \
      "codes": {\(codes)}}
      """
  }

  /// How the latencies are spread: a bar for each step, of which four make a factor of two.
  private var plot: [String] {
    var bars: [Int: UInt64] = [:]
    for value in latencies.recordedValues() {
      bars[Self.step(of: max(value.value, 1)), default: 0] += UInt64(value.count)
    }
    // What is rarer than one in ten thousand at either end is told by the percentiles.
    let common = bars.filter { $0.value * 10_000 >= arrivals }.keys
    guard let first = common.min(), let last = common.max(), let highest = bars.values.max() else { return [] }
    return (first...last).map { step in
      let count = bars[step] ?? 0
      let bar = String(repeating: "█", count: Int((Double(count) / Double(highest) * 50).rounded()))
      let share = decimal(Double(count) * 100 / Double(arrivals), 1)
      return "  \(padded(time(Self.upperBound(of: step)), 9)) \(padded(share, 5)) % \(bar)"
    }
  }

  private static func step(of nanoseconds: UInt64) -> Int {
    let exponent = 63 - nanoseconds.leadingZeroBitCount
    let quarter = exponent < 2 ? 0 : Int(nanoseconds >> (exponent - 2)) & 3
    return exponent * 4 + quarter
  }

  private static func upperBound(of step: Int) -> UInt64 {
    let exponent = step / 4
    return exponent < 2 ? 1 << (exponent + 1) : UInt64(5 + step % 4) << (exponent - 2)
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(width - text.count, 0)) + text
}

private func time(_ nanoseconds: UInt64) -> String {
  switch nanoseconds {
  case ..<1_000_000: "\(decimal(Double(nanoseconds) / 1e3, 0)) µs"
  case ..<1_000_000_000: "\(decimal(Double(nanoseconds) / 1e6, 2)) ms"
  default: "\(decimal(Double(nanoseconds) / 1e9, 2)) s"
  }
}

private func decimal(_ value: Double, _ places: Int) -> String {
  var factor = 1.0
  for _ in 0..<places { factor *= 10 }
  let scaled = Int((value * factor).rounded())
  guard places > 0 else { return String(scaled) }
  let fraction = String(scaled % Int(factor))
  return "\(scaled / Int(factor)).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
}

private func trimmed(_ value: Double) -> String {
  value == value.rounded() ? String(Int(value)) : String(value)
}

private func grouped(_ number: Int) -> String {
  var digits = String(number)
  var groups: [String] = []
  while digits.count > 3 {
    groups.insert(String(digits.suffix(3)), at: 0)
    digits.removeLast(3)
  }
  return ([digits] + groups).joined(separator: ",")
}
