import ArgumentParser

/// What a bench asks for, and how.
struct BenchPlan: Sendable {
  enum Workload: String, CaseIterable, ExpressibleByArgument, Sendable {
    case get, put, post, delete
    /// Nine reads to one write.
    case mixed
    /// Pages of 100 documents.
    case list
    /// Reads, each on a connection of its own, as the original protocol has it.
    case oneShot = "one-shot"
    /// The documents that have one value of a field, found by an index.
    case query
    /// Writes, of which others are told that watch the collection.
    case watch

    /// Whether the documents must be there before.
    var needsDocuments: Bool { self != .put && self != .post && self != .watch }
  }

  enum Distribution: String, CaseIterable, ExpressibleByArgument, Sendable {
    case uniform
    /// Few documents are asked for often, and many seldom.
    case zipf
  }

  enum End: Sendable {
    case seconds(Double)
    case requests(Int)
  }

  let workload: Workload
  let connections: Int
  /// How many more connections watch; nil where it is not this that is measured.
  let watchers: Int?
  /// How many requests of a connection may be unanswered.
  let pipeline: Int
  /// The size of a document, in bytes.
  let documentBytes: Int
  let keys: Int
  let distribution: Distribution
  let end: End
  /// How many requests a second are sent, whether or not those before are answered; nil: each waits for the answers before it.
  let rate: Double?
  let collection: String
  let dialect: Dialect

  /// How many documents have the same value of the field by which `query` finds them.
  static let documentsOfGroup = 20

  /// What is counted, and has a latency.
  var arrivals: String { watchers == nil ? "requests" : "events" }

  /// How many such values there are. That of a document is the remainder of its key.
  var groups: Int { max(keys / Self.documentsOfGroup, 1) }

  /// What the server speaks.
  enum Dialect: String, CaseIterable, ExpressibleByArgument, Sendable {
    case docket
    /// Redis's protocol (RESP), so that both can be measured by the same means.
    case redis
  }
}

/// Chooses keys, the first being the most popular where they are not all alike.
struct KeyChooser {
  private let keys: Int
  private var random = SystemRandomNumberGenerator()
  /// How many of all choices fall on a key and those before it; nil where all keys are alike.
  private let cumulated: [Double]?

  init(keys: Int, _ distribution: BenchPlan.Distribution) {
    self.keys = keys
    guard distribution == .zipf else {
      cumulated = nil
      return
    }
    // Zipf's law with the exponent 1: the key of rank n is chosen 1/n times as often as the first.
    var sum = 0.0
    let sums = (1...keys).map { rank in
      sum += 1 / Double(rank)
      return sum
    }
    cumulated = sums.map { $0 / sum }
  }

  mutating func next() -> Int {
    guard let cumulated else { return Int.random(in: 0..<keys, using: &random) }
    let wanted = Double.random(in: 0..<1, using: &random)
    var (low, high) = (0, keys - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulated[middle] < wanted { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
