import CoreMetrics
import NIOConcurrencyHelpers

/// Holds what is counted through swift-metrics, until a scrape asks for it. It is a backend of swift-metrics: what a counter, a
/// gauge, a recorder or a timer is told goes into a cell of its own here.
///
/// A recorder that aggregates becomes a histogram, and so does a timer, in seconds.
public final class MetricRegistry: MetricsFactory {
  /// What is known of a name beforehand. swift-metrics has no place for it.
  public struct Description: Sendable {
    let help: String
    let bounds: [Double]

    /// - Parameter bounds: of a histogram's buckets.
    public init(_ help: String, bounds: [Double] = MetricRegistry.seconds) {
      self.help = help
      self.bounds = bounds
    }
  }

  private struct Key: Hashable {
    let name: String
    /// Their names and values in turn.
    let labels: [String]
  }

  private let descriptions: [String: Description]
  private let cells = NIOLockedValueBox<[Key: MetricCell]>([:])

  /// Bounds for durations, from 50 microseconds to 10 seconds.
  public static let seconds = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  public init(_ descriptions: [String: Description] = [:]) {
    self.descriptions = descriptions
  }

  /// All that there is, by name and labels.
  public var families: [MetricFamily] {
    let cells = cells.withLockedValue { $0 }.sorted { one, other in
      one.key.name == other.key.name
        ? one.key.labels.lexicographicallyPrecedes(other.key.labels) : one.key.name < other.key.name
    }
    var families: [MetricFamily] = []
    for (key, cell) in cells {
      if families.last?.name != key.name {
        families.append(
          MetricFamily(cell.kind, key.name, help: descriptions[key.name]?.help ?? "What swift-metrics was told."))
      }
      // What goes by another kind's name is not told: Prometheus would refuse the whole text.
      guard families[families.count - 1].kind == cell.kind else { continue }
      let labels = stride(from: 0, to: key.labels.count, by: 2).map {
        (name: key.labels[$0], value: key.labels[$0 + 1])
      }
      families[families.count - 1].add(MetricFamily.Sample(labels: labels, value: cell.value))
    }
    return families
  }

  /// The sum of a name's numbers, or those with a label of this value; 0 where there are none.
  public func total(of name: String, where label: (name: String, value: String)? = nil) -> Double {
    cells.withLockedValue { cells in
      cells.reduce(0) { total, entry in
        guard entry.key.name == name, case .number(let value) = entry.value.value else { return total }
        if let label {
          guard let index = entry.key.labels.firstIndex(of: label.name), entry.key.labels[index + 1] == label.value
          else { return total }
        }
        return total + value
      }
    }
  }

  /// How the values of a name without labels were spread; nil where none was recorded.
  public func distribution(of name: String) -> Distribution? {
    guard case .distribution(let distribution)? = cells.withLockedValue({ $0[Key(name: name, labels: [])]?.value })
    else { return nil }
    return distribution
  }

  private func cell(_ kind: MetricFamily.Kind, _ label: String, _ dimensions: [(String, String)]) -> MetricCell {
    let name = MetricName.valid(label)
    let labels = dimensions.sorted { $0.0 < $1.0 }.flatMap { [MetricName.valid($0.0), $0.1] }
    let bounds = descriptions[name]?.bounds ?? Self.seconds
    return cells.withLockedValue { cells in
      let key = Key(name: name, labels: labels)
      if let cell = cells[key], cell.kind == kind { return cell }
      let cell = MetricCell(kind, bounds: bounds)
      cells[key] = cell
      return cell
    }
  }

  // MARK: swift-metrics

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    cell(.counter, label, dimensions)
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    cell(.counter, label, dimensions)
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    cell(.gauge, label, dimensions)
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    cell(aggregate ? .histogram : .gauge, label, dimensions)
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    cell(.histogram, label.hasSuffix("_seconds") ? label : label + "_seconds", dimensions)
  }

  public func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
  public func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
  public func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
  public func destroyTimer(_ handler: any TimerHandler) { forget(handler) }

  private func forget(_ handler: AnyObject) {
    cells.withLockedValue { cells in cells = cells.filter { $0.value !== handler } }
  }
}
