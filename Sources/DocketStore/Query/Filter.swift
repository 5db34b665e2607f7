/// Which documents a query wants.
public indirect enum Filter: Sendable {
  /// Every one of these holds; of none: always.
  case all([Filter])
  /// At least one of these holds; of none: never.
  case any([Filter])
  case not(Filter)
  case test(Field, Test)

  /// What is asked of one value. A test of a value that is missing fails, but for `.exists(false)`.
  public enum Test: Sendable {
    case equal(QueryValue)
    /// Of the rank of the bound and on its side of it.
    case less(QueryValue)
    case lessOrEqual(QueryValue)
    case greater(QueryValue)
    case greaterOrEqual(QueryValue)
    /// Equal to one of these.
    case oneOf([QueryValue])
    case exists(Bool)
    /// A string that begins so, in UTF-8.
    case prefix([UInt8])
    /// A string that holds this string, or an array that holds this value.
    case contains(QueryValue)
  }

  /// How many tests it has.
  public var tests: Int {
    switch self {
    case .all(let filters), .any(let filters): filters.reduce(0) { $0 + $1.tests }
    case .not(let filter): filter.tests
    case .test: 1
    }
  }

  /// All documents.
  public static var everything: Filter { .all([]) }

  public var isEverything: Bool {
    if case .all(let filters) = self { filters.allSatisfy(\.isEverything) } else { false }
  }
}
