import DocketStore
import NIOCore

/// Reads the conditions of a `where`:
/// `{"status": "open", "priority": {"$gte": 2}, "$or": [{"author.name": {"$prefix": "A"}}, {"tags": {"$contains": "x"}}]}`.
struct FilterReader {
  static let maximumTests = 64
  static let maximumDepth = 16
  /// Of `$in` and `$nin`.
  static let maximumValues = 1000

  private var tests = 0
  /// What words are searched by.
  private var text: String?

  /// - Parameter conditions: all of them must hold.
  static func filter(_ conditions: [ByteBuffer]) throws(ParameterError) -> (filter: Filter, text: String?) {
    var reader = FilterReader()
    var filters: [Filter] = []
    for condition in conditions {
      filters.append(try reader.condition(condition, of: "where", depth: 1, takesText: true))
    }
    return (.allOf(filters), reader.text)
  }

  // MARK: Conditions

  /// An object: every member of it must hold.
  /// - Parameter takesText: whether words may be searched here, since nothing is found for which it does not hold.
  private mutating func condition(
    _ json: ByteBuffer, of name: String, depth: Int, takesText: Bool = false
  ) throws(ParameterError) -> Filter {
    try checkDepth(depth)
    // Each of them is one condition at least.
    guard let members = json.jsonMembers(atMost: Self.maximumTests + 1) else {
      throw .invalidQuery(
        "'\(name)' takes conditions: an object such as {\"status\": \"open\", \"priority\": {\"$gte\": 2}}.")
    }
    if members.isEmpty { try countTest() }
    var filters: [Filter] = []
    for (key, value) in members {
      switch key {
      case "$text":
        guard takesText else { throw Self.misplacedText }
        try countTest()
        try readText(value)
      case "$and": filters.append(.allOf(try alternatives(value, of: key, depth: depth, takesText: takesText)))
      case "$or": filters.append(.any(try alternatives(value, of: key, depth: depth)))
      case "$not": filters.append(.not(try condition(value, of: key, depth: depth + 1)))
      case _ where key.isOperator:
        throw Self.unknownOperator(
          key,
          "Between conditions there are $and, $or, $not and $text; the others stand behind a field: {\"priority\": {\"$gte\": 2}}."
        )
      default: filters.append(try test(try Field(name: key), value, depth: depth))
      }
    }
    return .allOf(filters)
  }

  private mutating func alternatives(
    _ json: ByteBuffer, of name: String, depth: Int, takesText: Bool = false
  ) throws(ParameterError) -> [Filter] {
    guard let elements = json.jsonElements, !elements.isEmpty else {
      throw .invalidQuery("'\(name)' takes an array of conditions that is not empty: [{\"a\": 1}, {\"b\": 2}].")
    }
    var filters: [Filter] = []
    for element in elements {
      filters.append(try condition(element, of: name, depth: depth + 1, takesText: takesText))
    }
    return filters
  }

  // MARK: Words

  /// Of `$text`, in bytes.
  static let maximumTextBytes = 4_096
  /// FTS5 ranks a document by all places of all words in it, within one step that nothing ends: time and memory grow with their
  /// number, where many are the same or begin the same.
  static let maximumWords = 32

  private mutating func readText(_ json: ByteBuffer) throws(ParameterError) {
    guard text == nil else { throw .invalidQuery("'$text' stands in a query once; AND joins words within it.") }
    guard json.isJSONString, let expression = json.jsonText, !expression.utf8.contains(0),
      (1...Self.maximumTextBytes).contains(expression.utf8.count)
    else {
      throw .invalidQuery(
        "'$text' takes a string of 1 to \(Self.maximumTextBytes) bytes without NUL, such as \"swift AND nio\".")
    }
    guard SearchedWords.count(in: expression) <= Self.maximumWords else {
      throw .invalidQuery("'$text' takes \(Self.maximumWords) words at most.")
    }
    text = expression
  }

  private static var misplacedText: ParameterError {
    .invalidQuery(
      "'$text' stands between the first conditions of 'where' or of an $and there, not under $or or $not and not behind a field. Within it there are AND, OR, NOT and columns: \"title : swift OR nio\"."
    )
  }

  // MARK: Tests of a field

  /// What is asked of a field: an object of operators, or a value that it equals.
  private mutating func test(_ field: Field, _ json: ByteBuffer, depth: Int) throws(ParameterError) -> Filter {
    try checkDepth(depth)
    guard let members = json.jsonMembers, members.contains(where: { $0.name.isOperator }) else {
      return try test(field, "$eq", json, depth: depth)
    }
    if let other = members.first(where: { !$0.name.isOperator }) {
      throw .invalidQuery(
        "'\(other.name.shortened)' stands among the operators of '\(field.name)'; an object that the field is to equal goes behind $eq."
      )
    }
    var filters: [Filter] = []
    for (name, value) in members { filters.append(try test(field, name, value, depth: depth)) }
    return .allOf(filters)
  }

  private mutating func test(
    _ field: Field, _ name: String, _ json: ByteBuffer, depth: Int
  ) throws(ParameterError) -> Filter {
    if name == "$not" { return .not(try test(field, json, depth: depth + 1)) }
    try countTest()
    let operand = FilterOperand(field: field, operatorName: name, json: json)
    switch name {
    case "$eq": return .test(field, .equal(try operand.value()))
    case "$ne": return .not(.test(field, .equal(try operand.value())))
    case "$gt": return .test(field, .greater(try operand.bound()))
    case "$gte": return .test(field, .greaterOrEqual(try operand.bound()))
    case "$lt": return .test(field, .less(try operand.bound()))
    case "$lte": return .test(field, .lessOrEqual(try operand.bound()))
    case "$in": return .test(field, .oneOf(try operand.values()))
    case "$nin": return .not(.test(field, .oneOf(try operand.values())))
    case "$exists": return .test(field, .exists(try operand.flag()))
    case "$prefix": return .test(field, .prefix(try operand.prefix()))
    case "$contains": return .test(field, .contains(try operand.content()))
    case "$text": throw Self.misplacedText
    default:
      throw Self.unknownOperator(
        name, "A field has $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $prefix, $contains and $not.")
    }
  }

  // MARK: Limits

  private func checkDepth(_ depth: Int) throws(ParameterError) {
    guard depth <= Self.maximumDepth else {
      throw .tooManyConditions("Conditions nest \(Self.maximumDepth) deep at most.")
    }
  }

  private mutating func countTest() throws(ParameterError) {
    tests += 1
    guard tests <= Self.maximumTests else {
      throw .tooManyConditions("A query has \(Self.maximumTests) conditions at most; one $in takes many values.")
    }
  }

  private static func unknownOperator(_ name: String, _ known: String) -> ParameterError {
    ParameterError(code: "unknown_operator", detail: "There is no operator '\(name.shortened)' here. \(known)")
  }
}

extension Filter {
  /// All of these, without one level that says no more.
  static func allOf(_ filters: [Filter]) -> Filter {
    var parts: [Filter] = []
    for filter in filters {
      if case .all(let inner) = filter { parts += inner } else { parts.append(filter) }
    }
    return parts.count == 1 ? parts[0] : .all(parts)
  }
}

extension ParameterError {
  static func tooManyConditions(_ detail: String) -> ParameterError {
    ParameterError(code: "too_many_conditions", detail: detail)
  }
}

extension String {
  fileprivate var isOperator: Bool { utf8.first == UInt8(ascii: "$") }
}
