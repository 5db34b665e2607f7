import DocketJSON

/// A value as queries compare it: kinds in the order of the cases, numbers by their exact decimal value, strings by code
/// points. Arrays and objects stand behind all others, none before another.
public enum QueryValue: Sendable {
  /// There is no such value in the document.
  case missing
  case null
  case `false`
  case `true`
  case number(JSONDecimal)
  /// UTF-8; half of a surrogate pair as WTF-8 has it.
  case string([UInt8])
  /// An array or object: its JSON text.
  case composite([UInt8])

  /// Values of different ranks are never equal, and compare by it.
  public var rank: Int {
    switch self {
    case .missing: 0
    case .null: 1
    case .false: 2
    case .true: 3
    case .number: 4
    case .string: 5
    case .composite: 6
    }
  }

  /// -1, 0 or 1. Of two arrays or objects it is 0.
  public func order(to other: QueryValue) -> Int {
    switch (self, other) {
    case (.number(let a), .number(let b)): a < b ? -1 : a == b ? 0 : 1
    case (.string(let a), .string(let b)): a.order(to: b)
    default: (rank - other.rank).signum()
    }
  }

  /// Whether the two are the same JSON value.
  public func isSame(as other: QueryValue) -> Bool {
    switch (self, other) {
    case (.composite(let a), .composite(let b)):
      a.withUnsafeBytes { a in b.withUnsafeBytes { b in JSONEquality.same(a, b) } }
    default: order(to: other) == 0
    }
  }
}

extension [UInt8] {
  /// -1, 0 or 1, as bytes compare.
  func order(to other: [UInt8]) -> Int {
    self == other ? 0 : lexicographicallyPrecedes(other) ? -1 : 1
  }
}
