import CAllocationCount

/// What a part costs, as measured again and again.
struct Measurement {
  let part: Part
  /// Of all threads; nil where they cannot be counted.
  let allocations: Double?
  /// By the clock.
  var nanoseconds: Double { Self.median(durations.map(\.elapsed)) / operations }
  /// Of all threads.
  var processorNanoseconds: Double { Self.median(durations.map(\.processor)) / operations }

  private static let minimumDuration = Duration.milliseconds(50)

  /// How many calls fill a repetition.
  private let calls: Int
  private var operations: Double { Double(calls * part.count) }
  private var durations: [Stopwatch.Reading] = []

  /// Finds how many calls to measure, which warms everything up, and counts the allocations: apart from the time, so that
  /// counting costs none.
  init(of part: Part) throws {
    self.part = part
    var calls = 1
    while try Self.time(part, calls: calls).elapsed < Self.minimumDuration { calls *= 2 }
    self.calls = calls

    allocation_count_begin()
    try Self.run(part, calls: calls)
    let counted = allocation_count_end()
    allocations = counted < 0 ? nil : Double(counted) / Double(calls * part.count)
  }

  /// Measures once more.
  mutating func repeatOnce() throws {
    durations.append(try Self.time(part, calls: calls))
  }

  private static func time(_ part: Part, calls: Int) throws -> Stopwatch.Reading {
    let stopwatch = Stopwatch()
    try run(part, calls: calls)
    return stopwatch.reading
  }

  private static func run(_ part: Part, calls: Int) throws {
    for _ in 0..<calls { try part.body() }
  }

  /// In nanoseconds.
  private static func median(_ durations: [Duration]) -> Double {
    durations.sorted()[durations.count / 2] / .nanoseconds(1)
  }
}
