import DocketStore
import NIOCore

/// What is computed over the documents that match, for all of them or for groups of them.
struct Aggregation: Sendable {
  static let maximumColumns = 16
  static let maximumGroups = 10_000

  enum Function: Sendable {
    case count
    case sum(Field)
    case average(Field)
    case least(Field)
    case greatest(Field)
  }

  struct Column: Sendable {
    let name: String
    let function: Function
  }

  let columns: [Column]
  let groupBy: Field?

  /// - Parameter parameters: `{"n": "count", "total": {"sum": "price"}}` in `aggregate`; perhaps a field in `groupBy`.
  init?(_ parameters: ReadParameters) throws(ParameterError) {
    guard let json = parameters.json("aggregate") else {
      if parameters.has("groupBy") {
        throw .invalidQuery("'groupBy' says for which groups 'aggregate' computes; there is no 'aggregate'.")
      }
      return nil
    }
    if let other = ["sort", "fields", "after", "limit", "count"].first(where: parameters.has) {
      throw .invalidQuery("'aggregate' answers with groups, all of them in their order; leave '\(other)' out.")
    }
    guard let members = json.jsonMembers, !members.isEmpty else { throw Self.shape("aggregate") }
    guard members.count <= Self.maximumColumns else {
      throw .invalidQuery("'aggregate' computes \(Self.maximumColumns) values at most.")
    }
    var columns: [Column] = []
    for (name, json) in members {
      guard !name.utf8.elementsEqual("group".utf8), !columns.contains(where: { $0.name.utf8.elementsEqual(name.utf8) })
      else {
        throw .invalidQuery(
          "'aggregate' cannot call a value '\(name.shortened)': each has a name of its own, and 'group' is the group's."
        )
      }
      columns.append(Column(name: name, function: try Self.function(json, name)))
    }
    self.columns = columns
    groupBy = try Self.groupField(parameters)
  }

  private static func groupField(_ parameters: ReadParameters) throws(ParameterError) -> Field? {
    guard let json = parameters.json("groupBy") else { return nil }
    guard parameters.isText("groupBy"), let name = parameters.text("groupBy") else {
      throw .invalidQuery("'groupBy' takes the name of one field, not \(String(buffer: json).shortened).")
    }
    return try Field(name: name)
  }

  private static func function(_ json: ByteBuffer, _ column: String) throws(ParameterError) -> Function {
    if json.jsonText == "count", json.isJSONString { return .count }
    guard let members = json.jsonMembers, members.count == 1, let (name, operand) = members.first,
      operand.isJSONString, let field = operand.jsonText
    else { throw shape(column) }
    switch name {
    case "sum": return .sum(try summed(field))
    case "avg": return .average(try summed(field))
    case "min": return .least(try Field(name: field))
    case "max": return .greatest(try Field(name: field))
    default: throw shape(column)
    }
  }

  private static func summed(_ name: String) throws(ParameterError) -> Field {
    let field = try Field(name: name)
    switch field {
    case .value, .revision: return field
    case .id, .created, .updated: throw .invalidQuery("'sum' and 'avg' take numbers, which '\(name)' is not.")
    }
  }

  private static func shape(_ name: String) -> ParameterError {
    .invalidQuery(
      "'\(name.shortened)' must be as in {\"n\": \"count\", \"total\": {\"sum\": \"price\"}}; besides sum there are avg, min and max."
    )
  }
}
