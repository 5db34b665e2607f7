import DocketStore
import DocketWire
import NIOCore

extension DocumentOperations {
  /// `{"items": […], "next": cursor or null}`, in byte order of the ids.
  func readPage(_ request: PageRequest, completion: @escaping (Response) -> Void) {
    let pageBytes = limits.pageBytes
    access.scan(
      request.collection, after: request.after, into: Page(isTrial: isTrial),
      visit: { page, document in page.add(document, limit: request.limit, bytes: pageBytes) },
      completion: { result in
        switch result {
        case .success(var page): completion(Response(.ok, data: page.finish(in: request.collection)))
        case .failure(let error): completion(error.response)
        }
      })
  }
}

/// A page as it grows.
struct Page: Sendable {
  private var text = ByteBuffer(staticString: "{\"items\": [")
  private var count = 0
  private var bytes = 0
  private var lastID: String?
  /// Whether there is more behind it.
  private(set) var isCut = false
  private let isTrial: Bool

  /// - Parameter isTrial: whether its documents may have revisions that will be others'.
  init(isTrial: Bool = false) { self.isTrial = isTrial }

  /// - Parameters:
  ///   - showing: makes of a document's data what the page shows of it; nil: all.
  ///   - found: what a search for words says of it.
  ///   - limit: how many documents it holds at most.
  ///   - limitBytes: the size at which it ends, in bytes of documents.
  mutating func add(
    _ document: Document, showing: ((ByteBuffer) -> ByteBuffer)? = nil, found match: TextMatch? = nil, limit: Int,
    bytes limitBytes: Int
  ) -> ScanStep {
    // Only a document behind the page shows that the page is not the last.
    guard count == 0 || (count < limit && bytes + document.data.readableBytes <= limitBytes) else {
      isCut = true
      return .stop
    }
    if count > 0 { text.writeStaticString(", ") }
    text.writeItem(
      document, showing: showing?(document.data) ?? document.data, found: match, withRevision: !isTrial)
    count += 1
    bytes += document.data.readableBytes
    lastID = document.path.id
    return .next
  }

  /// - Parameters:
  ///   - revision: of a page of the past, which tells it and whose cursor names it.
  ///   - stoppedBehind: where the store stopped by itself.
  mutating func finish(
    in collection: CollectionPath, asOf revision: Revision? = nil, stoppedBehind: String? = nil
  ) -> ByteBuffer {
    let end = isCut ? lastID : stoppedBehind
    var text = finish(next: end.map { Cursor(id: $0, in: collection, asOf: revision).text })
    if let revision {
      text.writeStaticString(", \"asOf\": ")
      text.writeDecimal(revision.rawValue)
    }
    text.writeStaticString("}")
    return text
  }

  /// `{"items": […], "next": cursor or null`, its brace left open.
  mutating func finish(next cursor: String?) -> ByteBuffer {
    text.writeStaticString("], \"next\": ")
    if let cursor { text.writeJSONString(cursor) } else { text.writeStaticString("null") }
    // Nothing else may refer to the memory, or it would be copied when more is written.
    var finished = ByteBuffer()
    swap(&finished, &text)
    return finished
  }
}
