import DocketJSON
import NIOCore

/// Which documents are asked for, and how they are told.
public struct DocumentQuery: Sendable, Equatable {
  /// Nil: all documents.
  public var condition: QueryCondition?
  /// Names of fields, the first one first; with a dash before it descending. None: by path.
  public var sort: [String]
  /// Names of the fields that are told of each document; none: the document as it was written.
  public var fields: [String]
  /// How many documents a page has at most; the server has a limit of its own.
  public var limit: Int?
  /// The `next` of the page before, which was of the same query.
  public var cursor: String?
  /// Of which moment the documents are; nil: as they stand.
  public var moment: PointInTime?
  /// Whether collections below this one are looked at, too.
  public var isRecursive: Bool
  /// Whether the page tells how many documents the query finds in all.
  public var counts: Bool
  /// Whether the page tells how they are found.
  public var explains: Bool

  public init(
    where condition: QueryCondition? = nil, sort: [String] = [], fields: [String] = [], limit: Int? = nil,
    after cursor: String? = nil, asOf moment: PointInTime? = nil, isRecursive: Bool = false, counts: Bool = false,
    explains: Bool = false
  ) {
    self.condition = condition
    self.sort = sort
    self.fields = fields
    self.limit = limit
    self.cursor = cursor
    self.moment = moment
    self.isRecursive = isRecursive
    self.counts = counts
    self.explains = explains
  }
}

extension DocumentQuery {
  /// The data of a GET: `{"where": {…}, "sort": […], …}`, with what is asked for and no more.
  func data(aggregate: ByteBuffer? = nil, groupBy: String? = nil) throws(DocketClientError) -> ByteBuffer {
    var text = ByteBuffer(staticString: "{")
    func member(_ name: String, _ value: QueryValue) throws(DocketClientError) {
      if text.readableBytes > 1 { text.writeStaticString(", ") }
      text.writeJSONString(name)
      text.writeStaticString(": ")
      try value.write(to: &text)
    }
    if let condition { try member("where", .json(condition.json)) }
    if !sort.isEmpty { try member("sort", .json(Self.array(sort))) }
    if !fields.isEmpty { try member("fields", .json(Self.array(fields))) }
    if let limit { try member("limit", .integer(Int64(limit))) }
    if let cursor { try member("after", .string(cursor)) }
    switch moment {
    case .revision(let revision): try member("asOf", .integer(revision))
    case .time(let time): try member("asOf", .string(time))
    case nil: break
    }
    if isRecursive { try member("recursive", true) }
    if counts { try member("count", true) }
    if explains { try member("explain", true) }
    if let aggregate { try member("aggregate", .json(aggregate)) }
    if let groupBy { try member("groupBy", .string(groupBy)) }
    text.writeStaticString("}")
    return text
  }

  private static func array(_ names: [String]) -> ByteBuffer {
    var text = ByteBuffer(staticString: "[")
    for (index, name) in names.enumerated() {
      if index > 0 { text.writeStaticString(", ") }
      text.writeJSONString(name)
    }
    text.writeStaticString("]")
    return text
  }
}
