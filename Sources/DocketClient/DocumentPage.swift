import DocketWire
import NIOCore

/// A part of a collection, or of what a query finds.
public struct DocumentPage: Sendable, Equatable {
  /// A document as a page shows it.
  public struct Item: Sendable, Equatable {
    public let path: String
    public let id: String
    public let revision: Int64
    /// When it was written first and last: RFC 3339, UTC.
    public let created: String
    public let updated: String
    /// When it ends by itself; nil: never.
    public let expires: String?
    /// Of what a search for words has found, the best first: how well it fits, greater is better.
    public let score: Double?
    /// Of what a search for words has found: the piece of its texts that fits best, matches between `**` and `**`.
    public let snippet: String?
    /// JSON text, byte for byte as it was written; where a query names fields, an object with those.
    public let document: ByteBuffer
    /// All of this as the server told it.
    public let json: ByteBuffer
  }

  /// In the byte order of the ids, or as a query sorts them.
  public let items: [Item]
  /// Where the next page begins; nil when this is the last one.
  public let next: String?
  /// How many documents the query finds in all, where it asks for that.
  public let count: Int64?
  /// JSON text: how the documents were found, where the query asks for that.
  public let explanation: ByteBuffer?
  /// JSON text: that many documents were looked through, and what index would help.
  public let warning: ByteBuffer?
  /// All of this as the server told it.
  public let json: ByteBuffer
}

extension DocumentPage {
  init(data: ByteBuffer) throws(DocketClientError) {
    let fields = try AnswerFields(data)
    var items: [Item] = []
    for element in try fields.elements("items") {
      items.append(try Item(element))
    }
    self.items = items
    next = try fields.optionalText("next")
    count = try fields.optionalInteger("count")
    explanation = fields.optionalValue("explain")
    warning = fields.optionalValue("warning")
    json = data
  }
}

extension DocumentPage.Item {
  fileprivate init(_ object: ByteBuffer) throws(DocketClientError) {
    let fields = try AnswerFields(object)
    path = try fields.text("path")
    id = try fields.text("id")
    revision = try fields.integer("revision")
    created = try fields.text("created")
    updated = try fields.text("updated")
    expires = try fields.optionalText("expires")
    score = fields.optionalValue("score").flatMap { Double(String(buffer: $0)) }
    snippet = try fields.optionalText("snippet")
    document = try fields.value("document")
    json = object
  }
}

/// The documents of a collection, fetched page by page.
///
/// A document that stays in place is told once, whatever comes and goes meanwhile.
public struct DocumentSequence: AsyncSequence, Sendable {
  public typealias Element = DocumentPage.Item

  let client: DocketClient
  let collection: String
  let pageSize: Int?
  let cursor: String?
  let moment: PointInTime?

  public func makeAsyncIterator() -> Iterator {
    Iterator(sequence: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let sequence: DocumentSequence
    private var items: ArraySlice<Element> = []
    private var cursor: String?
    private var isLastPage = false

    init(sequence: DocumentSequence) {
      self.sequence = sequence
      cursor = sequence.cursor
    }

    public mutating func next() async throws -> Element? {
      // A page may be empty and yet not the last, when its documents were too large or went meanwhile.
      while items.isEmpty && !isLastPage {
        let page = try await sequence.client.list(
          sequence.collection, limit: sequence.pageSize, after: cursor, asOf: sequence.moment)
        items = page.items[...]
        cursor = page.next
        isLastPage = page.next == nil
      }
      return items.popFirst()
    }
  }
}
