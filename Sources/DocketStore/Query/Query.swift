import Synchronization

/// Documents that are asked for by what they hold.
public struct Query: Sendable {
  /// Where to look.
  public enum Scope: Sendable, Equatable {
    case collection(CollectionPath)
    /// A collection and all that are nested in it.
    case tree(CollectionPath)
    /// The whole database.
    case everything
  }

  public struct SortKey: Sendable, Equatable {
    public let field: Field
    public let isDescending: Bool

    public init(_ field: Field, isDescending: Bool = false) {
      self.field = field
      self.isDescending = isDescending
    }
  }

  /// A place in the order of the results: that of the document with these values of the sort keys and this path.
  public struct Position: Sendable {
    public let values: [QueryValue]
    public let path: DocumentPath

    public init(values: [QueryValue], path: DocumentPath) {
      self.values = values
      self.path = path
    }
  }

  public var scope: Scope
  /// What of it may be shown; nil: all.
  public var readable: PathPrefixes?
  public var filter: Filter
  /// Only documents whose texts match this, in FTS5's language (https://sqlite.org/fts5.html#full_text_query_syntax); nil:
  /// whatever is in them. Only of one collection as it is now; with an order without keys those that fit best come first.
  public var text: String?
  /// Documents that these do not tell apart follow by their paths (collection, then id, as bytes), descending if the last
  /// key is; with no keys all do, ascending. nil: the order does not matter.
  public var order: [SortKey]?
  /// Results begin behind this place. Only with an order.
  public var after: Position?
  /// No more than so many are wanted; nil: all.
  public var limit: Int?
  /// Nor those that follow when what comes before has reached this size, in bytes of documents; but two at least.
  public var limitBytes: Int
  /// Of the past; nil: of now.
  public var moment: PastMoment?
  /// How many documents may be looked at without an index; behind that the query fails with `scanRefused`.
  public var scanLimit: Int?

  public init(
    scope: Scope, readable: PathPrefixes? = nil, filter: Filter = .everything, text: String? = nil,
    order: [SortKey]? = [], after: Position? = nil,
    limit: Int? = nil, limitBytes: Int = .max, moment: PastMoment? = nil, scanLimit: Int? = nil
  ) {
    self.scope = scope
    self.readable = readable
    self.filter = filter
    self.text = text
    self.order = order
    self.after = after
    self.limit = limit
    self.limitBytes = limitBytes
    self.moment = moment
    self.scanLimit = scanLimit
  }
}

extension Query {
  /// Whether a document of its scope is one of its results.
  public func matches(_ document: DocumentView) -> Bool {
    guard readable?.cover(collection: document.collection, id: document.id) ?? true else { return false }
    return filter.matches(document)
  }

  /// Whether every document of its scope is.
  public var matchesEverything: Bool { filter.isEverything && readable == nil }
}

/// How a query was carried out.
public struct QueryReport: Sendable, Equatable {
  /// The fields of the collection's index that served, as its settings name them; nil: none did.
  public var index: [String]?
  /// Whether the order came from the index, or from the order of the paths, so that nothing had to be sorted.
  public var isOrdered: Bool
  /// How many documents, or entries of the index, were looked at.
  public var scanned: Int
  /// How many of these were looked at though no index had found them.
  public var unindexed: Int

  /// - Parameter unindexed: nil: all where there is no index, otherwise none.
  public init(index: [String]? = nil, isOrdered: Bool = false, scanned: Int = 0, unindexed: Int? = nil) {
    self.index = index
    self.isOrdered = isOrdered
    self.scanned = scanned
    self.unindexed = unindexed ?? (index == nil ? scanned : 0)
  }
}

/// Tells a query that nobody waits for it any more.
public final class QueryCancellation: Sendable {
  private let flag = Atomic(false)

  public init() {}

  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  public func cancel() { flag.store(true, ordering: .relaxed) }
}

/// Reads of documents by what they hold, off the session's executor, each in a snapshot that is taken after the call.
public protocol QueryAccess: AnyObject {
  /// Visits the documents that match, in the query's order.
  ///
  /// - Parameters:
  ///   - cancellation: ends the query early, which then fails with `deadlineExceeded`.
  ///   - state: what `visit` builds up; it comes back with the completion.
  ///   - visit: takes one document, whose data is valid JSON, and says whether to go on. It runs on a thread of the store, and
  ///     the view is good until it returns.
  func query<State: Sendable>(
    _ query: Query, cancellation: QueryCancellation?, into state: State,
    visit: @escaping @Sendable (inout State, DocumentView) -> ScanStep,
    completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void)

  /// Visits what a query with `text` finds, each with the piece that fits best, in the query's order or the best first.
  func search<State: Sendable>(
    _ query: Query, cancellation: QueryCancellation?, into state: State,
    visit: @escaping @Sendable (inout State, TextMatch) -> ScanStep,
    completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void)

  /// Counts the documents that match; the query's order, limit and place are not looked at.
  func count(
    _ query: Query, cancellation: QueryCancellation?,
    completion: @escaping (Result<(count: Int, report: QueryReport), StoreError>) -> Void)
}
