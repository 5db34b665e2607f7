import DocketStore

/// The statements that look into indexes, kept ready: queries of one form differ only in what is bound.
final class IndexStatements {
  /// What a statement gives.
  enum Output {
    case documents
    case count
  }

  /// What makes the text of a statement.
  private struct Form: Hashable {
    struct Term: Hashable {
      let column: IndexCondition.Column
      let relation: IndexCondition.Relation
    }

    let output: Output
    let index: CollectionIndex
    let collection: CollectionPath
    let terms: [Term]
    /// Whether it is about the entries whose values SQLite has only roughly.
    let isRough: Bool
    /// Of the keys from this one on the order is told.
    let sortedFrom: Int?
    let isReversed: Bool
  }

  private let connection: Connection
  private var ready: [Form: Statement] = [:]

  /// With more forms than this all are forgotten, and made again as they come.
  private static let limit = 64

  init(_ connection: Connection) {
    self.connection = connection
  }

  /// A statement, bound, about the entries that are as they should be; in the plan's order where it has one.
  /// - Parameters:
  ///   - isRough: whether it is about the entries whose values SQLite has only roughly; in no order.
  ///   - wall: the time by which documents expire.
  func statement(
    _ output: Output, _ plan: IndexPlan, _ conditions: [IndexCondition], isRough: Bool = false, wall: Int64
  ) throws(SQLiteError) -> Statement {
    let isSorted = output == .documents && !isRough && plan.sorted != nil
    let form = Form(
      output: output, index: plan.schema.index, collection: plan.schema.collection,
      terms: conditions.map { Form.Term(column: $0.column, relation: $0.relation) }, isRough: isRough,
      sortedFrom: isSorted ? plan.equal.count : nil, isReversed: plan.isReversed)
    let statement = try statement(form)
    statement.bind(wall, at: 1)
    var parameter: Int32 = 2
    for bound in conditions.lazy.compactMap(\.bound) {
      bound.bind(to: statement, at: parameter)
      parameter += 1
    }
    return statement
  }

  private func statement(_ form: Form) throws(SQLiteError) -> Statement {
    if let statement = ready[form] { return statement }
    if ready.count >= Self.limit { ready = [:] }
    let statement = try connection.prepare(Self.sql(form))
    ready[form] = statement
    return statement
  }

  private static func sql(_ form: Form) -> String {
    let schema = IndexSchema(form.index, of: form.collection)
    let keys = form.index.keys
    func column(_ column: IndexCondition.Column) -> String {
      switch column {
      case .rank(let key): IndexSchema.rank(of: keys[key].path)
      case .value(let key): IndexSchema.value(of: keys[key].path)
      case .id: "id"
      }
    }
    var parameter = 1
    var terms = [schema.isMember, "\(schema.inexact) = \(form.isRough ? 1 : 0)"]
    for term in form.terms {
      if term.relation == .isNull {
        terms.append("\(column(term.column)) IS NULL")
      } else {
        parameter += 1
        terms.append("\(column(term.column)) \(term.relation.rawValue) ?\(parameter)")
      }
    }
    let selection =
      switch form.output {
      case .documents: "collection, id, revision, created_at, updated_at, expires_at, data"
      case .count: "count(*)"
      }
    let sql = """
      SELECT \(selection) FROM document_rows INDEXED BY \(schema.quotedName)
      WHERE \(terms.joined(separator: " AND ")) AND (expires_at IS NULL OR expires_at > ?1)
      """
    guard let first = form.sortedFrom else { return sql }
    // SQLite would sort by a column of which all entries have the same value.
    let fixed = Set(form.terms.filter { $0.relation == .equal || $0.relation == .isNull }.map(\.column))
    let columns = (first..<keys.count).flatMap { key in
      [IndexCondition.Column.rank(key), .value(key)].map { ($0, keys[key].isDescending != form.isReversed) }
    }
    let isDescendingID = (keys.last?.isDescending ?? false) != form.isReversed
    let order = (columns.filter { !fixed.contains($0.0) } + [(.id, isDescendingID)])
      .map { column($0.0) + ($0.1 ? " DESC" : "") }
    return "\(sql) ORDER BY \(order.joined(separator: ", "))"
  }
}
