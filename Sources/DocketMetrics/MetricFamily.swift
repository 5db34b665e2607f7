/// All that is told under one name: what a scrape reads.
public struct MetricFamily: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case counter
    case gauge
    case histogram
  }

  public struct Sample: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
      case number(Double)
      case distribution(Distribution)
    }

    /// In the order in which they are told.
    public let labels: [(name: String, value: String)]
    public let value: Value

    public static func == (one: Sample, other: Sample) -> Bool {
      one.value == other.value && one.labels.elementsEqual(other.labels, by: ==)
    }
  }

  /// By Prometheus' rules (https://prometheus.io/docs/practices/naming/): the unit last, in base units; counters end with `_total`.
  public let name: String
  /// One line that says what it is.
  public let help: String
  public let kind: Kind
  public private(set) var samples: [Sample]

  public init(_ kind: Kind, _ name: String, help: String) {
    precondition(MetricName.isValid(name), "'\(name)' is a name that Prometheus takes")
    self.kind = kind
    self.name = name
    self.help = help
    samples = []
  }

  /// A family of one number.
  public init(_ kind: Kind, _ name: String, help: String, _ value: some BinaryInteger) {
    self.init(kind, name, help: help)
    add(Double(value))
  }

  public mutating func add(_ value: Double, _ labels: (String, String)...) {
    samples.append(Sample(labels: labels.map { (name: $0.0, value: $0.1) }, value: .number(value)))
  }

  public mutating func add(_ value: Distribution, _ labels: (String, String)...) {
    samples.append(Sample(labels: labels.map { (name: $0.0, value: $0.1) }, value: .distribution(value)))
  }

  mutating func add(_ sample: Sample) { samples.append(sample) }
}

/// What Prometheus takes as a name (https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels).
enum MetricName {
  static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return false }
    return name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
  }

  /// The name itself, or one that is as much like it as may be: swift-metrics takes any text for one.
  static func valid(_ name: String) -> String {
    if isValid(name) { return name }
    var bytes = name.utf8.map { isLetter($0) || isDigit($0) ? $0 : UInt8(ascii: "_") }
    if bytes.first.map(isDigit) != false { bytes.insert(UInt8(ascii: "_"), at: 0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte & ~0x20) || byte == UInt8(ascii: "_")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
