import DocketJSON
import DocketStore
import NIOCore

/// What stands behind an operator, in the kind that the operator and its field take.
struct FilterOperand {
  let field: Field
  let operatorName: String
  let json: ByteBuffer

  /// A value to be equal to.
  func value() throws(ParameterError) -> QueryValue { try value(of: json) }

  /// A value to compare with.
  func bound() throws(ParameterError) -> QueryValue {
    let value = try value(of: json)
    if case .composite = value {
      throw wrong("a number, a string, true, false or null; arrays and objects have no order")
    }
    return value
  }

  func values() throws(ParameterError) -> [QueryValue] {
    guard let elements = json.jsonElements else { throw wrong("an array of values") }
    guard elements.count <= FilterReader.maximumValues else {
      throw .tooManyConditions(
        "'\(operatorName)' of '\(field.name)' takes \(FilterReader.maximumValues) values at most.")
    }
    var values: [QueryValue] = []
    for element in elements { values.append(try value(of: element)) }
    return values
  }

  func flag() throws(ParameterError) -> Bool {
    guard let flag = json.jsonBool else { throw wrong("true or false") }
    return flag
  }

  func prefix() throws(ParameterError) -> [UInt8] {
    try refuseForTimesAndRevisions()
    guard case .string(let bytes) = QueryValue(json) else { throw wrong("a string") }
    return bytes
  }

  /// A part of a string, or an element of an array.
  func content() throws(ParameterError) -> QueryValue {
    try refuseForTimesAndRevisions()
    return try value(of: json)
  }

  private func value(of json: ByteBuffer) throws(ParameterError) -> QueryValue {
    let value = QueryValue(json)
    switch (field, value) {
    case (.value, _), (.id, .string), (.revision, .number): return value
    case (.created, .string), (.updated, .string):
      guard let time = json.jsonText.flatMap({ Timestamp(rfc3339: $0) }) else { break }
      return .number(JSONDecimal(time.milliseconds))
    default: break
    }
    switch field {
    case .id: throw wrong("a string")
    case .revision: throw wrong("a number")
    case .value, .created, .updated:
      throw wrong("a time such as \"2030-01-31T12:00:00Z\" (RFC 3339; behind the ? write a + in it as %2B)")
    }
  }

  private func refuseForTimesAndRevisions() throws(ParameterError) {
    switch field {
    case .value, .id: break
    case .created, .updated, .revision:
      throw .invalidQuery(
        "'\(operatorName)' is for strings and arrays, which '\(field.name)' never is; compare with $gte and $lt.")
    }
  }

  private func wrong(_ kind: String) -> ParameterError {
    .invalidQuery("'\(operatorName)' of '\(field.name)' takes \(kind).")
  }
}

extension QueryValue {
  /// - Parameter json: valid JSON.
  init(_ json: ByteBuffer) {
    self = json.withUnsafeReadableBytes { QueryValue(token: $0) }
  }
}
