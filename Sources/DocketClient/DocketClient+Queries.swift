import NIOCore

/// Where documents are looked for.
public enum QueryScope: Sendable, Equatable {
  /// A collection's path, which ends with a slash.
  case collection(String)
  case database

  /// As a request names it.
  public var path: String {
    switch self {
    case .collection(let path): path
    case .database: "/_documents"
    }
  }
}

extension DocketClient {
  /// One page of what a query finds.
  public func query(_ query: DocumentQuery, in scope: QueryScope) async throws -> DocumentPage {
    try DocumentPage(data: try await page(of: query, in: scope))
  }

  /// One page of what a query finds, as the server told it.
  package func page(of query: DocumentQuery, in scope: QueryScope) async throws -> ByteBuffer {
    try await success(.get, scope.path, data: query.data()).data
  }

  /// All that a query finds, from its cursor on, page by page as it is asked for.
  public func results(of query: DocumentQuery, in scope: QueryScope) -> QueryResults {
    QueryResults(client: self, query: query, scope: scope)
  }

  /// How many documents there are for which a condition holds.
  /// - Parameters:
  ///   - condition: nil: all documents.
  ///   - isRecursive: whether collections below this one are looked at, too.
  ///   - moment: of which the documents are; nil: as they stand.
  public func count(
    where condition: QueryCondition? = nil, in scope: QueryScope, isRecursive: Bool = false,
    asOf moment: PointInTime? = nil
  ) async throws -> Int64 {
    let page = try await query(
      DocumentQuery(where: condition, limit: 0, asOf: moment, isRecursive: isRecursive, counts: true), in: scope)
    guard let count = page.count else { throw DocketClientError.badAnswer(reason: "no 'count' in the answer") }
    return count
  }

  /// Sums, averages and the like of the documents for which a condition holds.
  /// - Parameters:
  ///   - aggregate: an object that names them: `{"n": "count", "total": {"sum": "price"}}`.
  ///   - groupBy: the field by whose values they are told apart; nil: all documents are one group.
  ///   - moment: of which the documents are; nil: as they stand.
  /// - Returns: JSON text, `{"groups": [{"group": "open", "n": 3, "total": 12.5}…], "next": null}`.
  public func aggregate(
    _ aggregate: ByteBuffer, groupBy: String? = nil, where condition: QueryCondition? = nil, in scope: QueryScope,
    isRecursive: Bool = false, asOf moment: PointInTime? = nil
  ) async throws -> ByteBuffer {
    let query = DocumentQuery(where: condition, asOf: moment, isRecursive: isRecursive)
    return try await success(.get, scope.path, data: query.data(aggregate: aggregate, groupBy: groupBy)).data
  }
}

/// What a query finds, fetched page by page.
public struct QueryResults: AsyncSequence, Sendable {
  public typealias Element = DocumentPage.Item

  let client: DocketClient
  let query: DocumentQuery
  let scope: QueryScope

  public func makeAsyncIterator() -> Iterator {
    Iterator(results: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let results: QueryResults
    private var query: DocumentQuery
    private var items: ArraySlice<Element> = []
    private var isLastPage = false

    init(results: QueryResults) {
      self.results = results
      query = results.query
    }

    public mutating func next() async throws -> Element? {
      // A page may be empty and yet not the last.
      while items.isEmpty && !isLastPage {
        let page = try await results.client.query(query, in: results.scope)
        items = page.items[...]
        query.cursor = page.next
        isLastPage = page.next == nil
      }
      return items.popFirst()
    }
  }
}
