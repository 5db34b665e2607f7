import Foundation

/// Random numbers that come again with the same seed (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  /// A generator for one random test. Its seed comes from `DOCKET_TEST_SEED` or is chosen anew, and is printed, so that
  /// a failure can be repeated.
  public static func forTest(named name: String) -> SeededGenerator {
    let chosen = ProcessInfo.processInfo.environment["DOCKET_TEST_SEED"].flatMap { UInt64($0) }
    let seed = chosen ?? UInt64.random(in: 1...UInt64(UInt32.max))
    print("\(name): DOCKET_TEST_SEED=\(seed)")
    return SeededGenerator(seed: seed)
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
