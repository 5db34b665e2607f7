import DocketStore

/// The statements that look into indexes, kept ready: queries of one form differ only in what is bound.
final class IndexStatements {
  private let connection: Connection
  private var ready: [String: Statement] = [:]

  /// With more forms than this all are forgotten, and made again as they come.
  private static let limit = 64

  init(_ connection: Connection) {
    self.connection = connection
  }

  /// What a statement gives.
  enum Output {
    case documents
    case count
  }

  /// A statement, bound, about the entries that are as they should be; in the plan's order where it has one.
  /// - Parameters:
  ///   - conditions: of the index's keys; nil: the entries that SQLite cannot tell, in no order.
  ///   - wall: the time by which documents expire.
  func statement(
    _ output: Output, _ plan: IndexPlan, _ conditions: [IndexCondition]?, wall: Int64
  ) throws(SQLiteError) -> Statement {
    let schema = plan.schema
    let keys = schema.index.keys
    func column(_ column: IndexCondition.Column) -> String {
      switch column {
      case .rank(let key): IndexSchema.rank(of: keys[key].path)
      case .value(let key): IndexSchema.value(of: keys[key].path)
      case .id: "id"
      }
    }
    var parameter = 1
    var terms = [schema.isMember, "\(schema.inexact) = \(conditions == nil ? 1 : 0)"]
    for condition in conditions ?? [] {
      if condition.bound == nil {
        terms.append("\(column(condition.column)) \(condition.relation.rawValue)")
      } else {
        parameter += 1
        terms.append("\(column(condition.column)) \(condition.relation.rawValue) ?\(parameter)")
      }
    }
    let selection =
      switch output {
      case .documents: "collection, id, revision, created_at, updated_at, expires_at, data"
      case .count: "count(*)"
      }
    var sql = """
      SELECT \(selection) FROM document_rows INDEXED BY \(schema.quotedName)
      WHERE \(terms.joined(separator: " AND ")) AND (expires_at IS NULL OR expires_at > ?1)
      """
    if output == .documents, conditions != nil, plan.sorted != nil {
      // SQLite would sort by a column of which all entries have the same value.
      let fixed = Set((conditions ?? []).filter { $0.relation == .equal || $0.relation == .isNull }.map(\.column))
      let columns = (plan.equal.count..<keys.count).flatMap { key in
        [IndexCondition.Column.rank(key), .value(key)].map { ($0, keys[key].isDescending != plan.isReversed) }
      }
      let isDescendingID = (keys.last?.isDescending ?? false) != plan.isReversed
      let order = (columns.filter { !fixed.contains($0.0) } + [(.id, isDescendingID)])
        .map { column($0.0) + ($0.1 ? " DESC" : "") }
      sql += " ORDER BY " + order.joined(separator: ", ")
    }
    let statement = try statement(sql)
    statement.bind(wall, at: 1)
    var next: Int32 = 2
    for bound in (conditions ?? []).lazy.compactMap(\.bound) {
      bound.bind(to: statement, at: next)
      next += 1
    }
    return statement
  }

  private func statement(_ sql: String) throws(SQLiteError) -> Statement {
    if let statement = ready[sql] { return statement }
    if ready.count >= Self.limit { ready = [:] }
    let statement = try connection.prepare(sql)
    ready[sql] = statement
    return statement
  }
}
