import Foundation

/// Random numbers that a seed repeats: SplitMix64. `DOCKET_TEST_SEED` sets the seed; otherwise each run has a new one.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// - Parameter test: printed with the seed, so that a failure can be repeated.
  init(for test: String) {
    let seed =
      ProcessInfo.processInfo.environment["DOCKET_TEST_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): DOCKET_TEST_SEED=\(seed)")
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
