import DocketJSON
import DocketStore

/// A value as SQLite compares it in an index.
enum IndexBound {
  case integer(Int64)
  case real(Double)
  case text([UInt8])

  func bind(to statement: Statement, at parameter: Int32) {
    switch self {
    case .integer(let value): statement.bind(value, at: parameter)
    case .real(let value): statement.bind(real: value, at: parameter)
    case .text(let bytes): bytes.withUnsafeBytes { statement.bind(copying: $0, at: parameter) }
    }
  }
}

extension IndexBound {
  /// What is not before this is not before that when it is rounded.
  var lower: IndexBound { roughly.map { .real($0.lowerBound) } ?? self }

  /// What is not behind this is not behind that when it is rounded.
  var upper: IndexBound { roughly.map { .real($0.upperBound) } ?? self }

  private var roughly: ClosedRange<Double>? {
    switch self {
    case .integer(let value): Double(value).roughly
    case .real(let value): value.roughly
    case .text: nil
    }
  }
}

extension Double {
  /// Wider than SQLite's reading of a number is off.
  fileprivate var roughly: ClosedRange<Double> {
    let margin = isFinite ? abs(self) * 1e-15 + .leastNonzeroMagnitude : 0
    return (self - margin).nextDown...(self + margin).nextUp
  }
}

extension QueryValue {
  /// The value itself, where SQLite has the same; nil where it compares only roughly, or by the rank alone.
  var exactBound: IndexBound? {
    switch self {
    case .number(let number): number.integer.map(IndexBound.integer)
    case .string(let text): text.contains(0) ? nil : .text(text)
    default: nil
    }
  }

  /// Whether an index tells values of this rank apart.
  var hasBound: Bool {
    switch self {
    case .number, .string: true
    default: false
    }
  }

  /// No value at or behind this one is before what SQLite is told here.
  var lowerBound: IndexBound? {
    if let exactBound { return exactBound }
    return switch self {
    case .number(let number): .real(number.roughly.lowerBound)
    case .string(let text): .text(Array(text.prefix { $0 != 0 }))
    default: nil
    }
  }

  /// No value at or before this one is behind what SQLite is told here.
  var upperBound: IndexBound? {
    if let exactBound { return exactBound }
    return switch self {
    case .number(let number): .real(number.roughly.upperBound)
    // What is cut at NUL is no greater than the text that follows it.
    case .string(let text): .text(Array(text.prefix { $0 != 0 }))
    default: nil
    }
  }
}

extension JSONDecimal {
  /// Between which doubles SQLite's reading of the number is.
  fileprivate var roughly: ClosedRange<Double> {
    (Double(String(decoding: token, as: UTF8.self)) ?? 0).roughly
  }
}
