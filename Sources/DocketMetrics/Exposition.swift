/// The text that Prometheus scrapes, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format):
///
///     # HELP docket_watches How many watches there are.
///     # TYPE docket_watches gauge
///     docket_watches 3
public enum Exposition {
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Families without a sample are left out.
  public static func text(of families: [MetricFamily]) -> String {
    var text = ""
    for family in families where !family.samples.isEmpty {
      text += "# HELP \(family.name) \(escaped(family.help, alsoQuotes: false))\n"
      text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      for sample in family.samples { write(sample, of: family.name, to: &text) }
    }
    return text
  }

  private static func write(_ sample: MetricFamily.Sample, of name: String, to text: inout String) {
    switch sample.value {
    case .number(let value): text += "\(name)\(labels(sample.labels)) \(number(value))\n"
    case .distribution(let distribution):
      var total: UInt64 = 0
      for (index, count) in distribution.counts.enumerated() {
        total += count
        let bound = index < distribution.bounds.count ? number(distribution.bounds[index]) : "+Inf"
        text += "\(name)_bucket\(labels(sample.labels + [(name: "le", value: bound)])) \(total)\n"
      }
      text += "\(name)_sum\(labels(sample.labels)) \(number(distribution.sum))\n"
      text += "\(name)_count\(labels(sample.labels)) \(total)\n"
    }
  }

  private static func labels(_ labels: [(name: String, value: String)]) -> String {
    guard !labels.isEmpty else { return "" }
    return "{" + labels.map { "\($0.name)=\"\(escaped($0.value, alsoQuotes: true))\"" }.joined(separator: ",") + "}"
  }

  private static func escaped(_ text: String, alsoQuotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where alsoQuotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// As Go's `ParseFloat` reads it; whole numbers without a fraction.
  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value) { return String(whole) }
    return "\(value)"
  }
}
