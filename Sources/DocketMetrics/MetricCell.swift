import CoreMetrics
import NIOConcurrencyHelpers

/// One number, or one distribution, of the registry.
final class MetricCell: Sendable {
  let kind: MetricFamily.Kind
  private let bounds: [Double]
  private let box: NIOLockedValueBox<MetricFamily.Sample.Value>

  init(_ kind: MetricFamily.Kind, bounds: [Double]) {
    self.kind = kind
    self.bounds = bounds
    box = NIOLockedValueBox(Self.beginning(kind, bounds))
  }

  var value: MetricFamily.Sample.Value { box.withLockedValue { $0 } }

  func reset() { box.withLockedValue { $0 = Self.beginning(kind, bounds) } }

  private static func beginning(_ kind: MetricFamily.Kind, _ bounds: [Double]) -> MetricFamily.Sample.Value {
    kind == .histogram ? .distribution(Distribution(bounds: bounds)) : .number(0)
  }

  /// Adds to a number, or takes a value into a distribution.
  private func take(_ amount: Double) {
    box.withLockedValue { value in
      switch value {
      case .number(let number): value = .number(number + amount)
      case .distribution(var distribution):
        // Nobody else may have the counts while they change, or they would be copied.
        value = .number(0)
        distribution.add(amount)
        value = .distribution(distribution)
      }
    }
  }
}

extension MetricCell: CounterHandler, FloatingPointCounterHandler, MeterHandler {
  func increment(by amount: Int64) { take(Double(amount)) }
  func increment(by amount: Double) { take(amount) }
  func decrement(by amount: Double) { take(-amount) }
  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { box.withLockedValue { $0 = .number(value) } }
}

extension MetricCell: RecorderHandler, TimerHandler {
  func record(_ value: Int64) { record(Double(value)) }
  func record(_ value: Double) { if kind == .gauge { set(value) } else { take(value) } }
  func recordNanoseconds(_ duration: Int64) { take(Double(duration) / 1e9) }
}
