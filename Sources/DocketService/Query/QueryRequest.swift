import DocketStore

/// A query as a request asks for it.
public struct QueryRequest: Sendable {
  enum Answer: Sendable {
    case page(QueryPageRequest)
    case groups(Aggregation)
  }

  let scope: Query.Scope
  let filter: Filter
  /// What words are searched by; nil: none are.
  let text: String?
  /// Of which moment; nil: of now.
  let asOf: AsOf?
  let answer: Answer
  /// Whether the answer tells how it was found.
  let isExplained: Bool
  /// What may be shown; nil: all.
  var readable: PathPrefixes?

  /// Whether an answer may look through documents that are not in it, and tell so. A plain page does not.
  var mayScan: Bool {
    // How many there are that may not be shown is nobody's business.
    guard readable == nil else { return false }
    guard case .all(let filters) = filter, filters.isEmpty, case .page(let page) = answer else { return true }
    return !page.sort.isEmpty
  }
}

/// Which page of a query's results is asked for.
struct QueryPageRequest: Sendable {
  let sort: [Query.SortKey]
  /// What of each document is shown; nil: all.
  let projection: Projection?
  /// How many documents it holds at most; 0 where only their count is wanted.
  let limit: Int
  /// Whether all that match are counted.
  let counts: Bool
  let after: Query.Position?
  /// Of a later page of the past: the revision of which the first page was.
  let pinned: Revision?
  /// What its cursors are bound to.
  let fingerprint: Fingerprint
}
