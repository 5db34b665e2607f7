import DocketJSON
import NIOCore

/// What must hold of a document for a query to find it.
///
/// ```swift
/// .all([.field("status", .equals("open")), .field("priority", .atLeast(2)), .field("tags", .contains("home"))])
/// ```
public indirect enum QueryCondition: Sendable, Equatable {
  /// A field by its name, dotted where it lies deeper (`author.name`); `@id`, `@created`, `@updated` and `@revision` too.
  case field(String, QueryTest)
  /// All of them hold. There must be one at least.
  case all([QueryCondition])
  /// One of them holds. There must be one at least.
  case any([QueryCondition])
  case not(QueryCondition)
  /// The collection's texts match this, in FTS5's language: `swift AND nio`, `"event loop"`, `title : swift*`. It stands by
  /// itself or among `all`, once, and what fits best comes first where the query has no other order.
  case text(String)
  /// As the protocol writes it, an object: `{"status": "open", "priority": {"$gte": 2}}`.
  case json(ByteBuffer)
}

/// What must hold of a field.
public enum QueryTest: Sendable, Equatable {
  case equals(QueryValue)
  case differs(QueryValue)
  case greater(QueryValue)
  case atLeast(QueryValue)
  case less(QueryValue)
  case atMost(QueryValue)
  case isOne(of: [QueryValue])
  case isNone(of: [QueryValue])
  case exists(Bool)
  case hasPrefix(String)
  /// A string that holds this one, or an array that holds this element.
  case contains(QueryValue)
}

/// A JSON value in a query.
public enum QueryValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// Must be finite, for JSON has no other numbers: a query with one that is not throws `DocketClientError.invalidNumber`.
  case number(Double)
  case string(String)
  /// JSON text.
  case json(ByteBuffer)
}

extension QueryValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral
{
  public init(nilLiteral: ()) { self = .null }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
}

extension QueryCondition {
  /// As the protocol writes it.
  /// - Throws: `DocketClientError.invalidNumber`.
  public var json: ByteBuffer {
    get throws(DocketClientError) {
      var text = ByteBuffer()
      try write(to: &text)
      return text
    }
  }

  private func write(to text: inout ByteBuffer) throws(DocketClientError) {
    switch self {
    case .json(let json): text.writeImmutableBuffer(json)
    case .field(let name, let test):
      text.writeStaticString("{")
      text.writeJSONString(name)
      text.writeStaticString(": {\"")
      text.writeString(test.operatorName)
      text.writeStaticString("\": ")
      try test.writeOperand(to: &text)
      text.writeStaticString("}}")
    case .all(let conditions): try Self.write("{\"$and\": [", conditions, to: &text)
    case .any(let conditions): try Self.write("{\"$or\": [", conditions, to: &text)
    case .text(let expression):
      text.writeStaticString("{\"$text\": ")
      text.writeJSONString(expression)
      text.writeStaticString("}")
    case .not(let condition):
      text.writeStaticString("{\"$not\": ")
      try condition.write(to: &text)
      text.writeStaticString("}")
    }
  }

  private static func write(
    _ opening: StaticString, _ conditions: [Self], to text: inout ByteBuffer
  ) throws(DocketClientError) {
    text.writeStaticString(opening)
    for (index, condition) in conditions.enumerated() {
      if index > 0 { text.writeStaticString(", ") }
      try condition.write(to: &text)
    }
    text.writeStaticString("]}")
  }
}

extension QueryTest {
  fileprivate var operatorName: String {
    switch self {
    case .equals: "$eq"
    case .differs: "$ne"
    case .greater: "$gt"
    case .atLeast: "$gte"
    case .less: "$lt"
    case .atMost: "$lte"
    case .isOne: "$in"
    case .isNone: "$nin"
    case .exists: "$exists"
    case .hasPrefix: "$prefix"
    case .contains: "$contains"
    }
  }

  fileprivate func writeOperand(to text: inout ByteBuffer) throws(DocketClientError) {
    switch self {
    case .equals(let value), .differs(let value), .greater(let value), .atLeast(let value), .less(let value),
      .atMost(let value), .contains(let value):
      try value.write(to: &text)
    case .exists(let flag): try QueryValue.bool(flag).write(to: &text)
    case .hasPrefix(let prefix): text.writeJSONString(prefix)
    case .isOne(let values), .isNone(let values):
      text.writeStaticString("[")
      for (index, value) in values.enumerated() {
        if index > 0 { text.writeStaticString(", ") }
        try value.write(to: &text)
      }
      text.writeStaticString("]")
    }
  }
}

extension QueryValue {
  func write(to text: inout ByteBuffer) throws(DocketClientError) {
    switch self {
    case .null: text.writeStaticString("null")
    case .bool(let flag): text.writeString(flag ? "true" : "false")
    case .integer(let number): text.writeString(String(number))
    case .number(let number):
      guard number.isFinite else { throw .invalidNumber }
      text.writeString("\(number)")
    case .string(let string): text.writeJSONString(string)
    case .json(let json): text.writeImmutableBuffer(json)
    }
  }
}
