import DocketStore
import DocketWire
import NIOCore

extension DocumentOperations {
  /// `{"items": […], "next": cursor or null}`, in byte order of the ids.
  func readPage(_ request: PageRequest, completion: @escaping (Response) -> Void) {
    let pageBytes = limits.pageBytes
    access.scan(
      request.collection, after: request.after, into: Page(isTrial: isTrial),
      visit: { page, document in document.withView { page.add($0, limit: request.limit, bytes: pageBytes) } },
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
  private var last = LastDocument()
  /// Whether there is more behind it.
  private var isCut = false
  private let isTrial: Bool

  /// Room for twenty small documents, so that it need not be made again and again.
  private static let firstBytes = 8_000

  /// - Parameter isTrial: whether its documents may have revisions that will be others'.
  init(isTrial: Bool = false) { self.isTrial = isTrial }

  /// - Parameters:
  ///   - showing: makes of a document's data what the page shows of it; nil: all.
  ///   - found: what a search for words says of it.
  ///   - limit: how many documents it holds at most.
  ///   - limitBytes: the size at which it ends, in bytes of documents.
  mutating func add(
    _ document: DocumentView, showing: ((UnsafeRawBufferPointer) -> ByteBuffer)? = nil, found match: TextMatch? = nil,
    limit: Int,
    bytes limitBytes: Int
  ) -> ScanStep {
    // Only a document behind the page shows that the page is not the last.
    guard count == 0 || (count < limit && bytes + document.data.count <= limitBytes) else {
      isCut = true
      return .stop
    }
    if count > 0 { text.writeStaticString(", ") } else { text.reserveCapacity(Self.firstBytes) }
    if let showing {
      showing(document.data).withUnsafeReadableBytes {
        text.writeItem(document, showing: $0, found: match, withRevision: !isTrial)
      }
    } else {
      text.writeItem(document, showing: document.data, found: match, withRevision: !isTrial)
    }
    count += 1
    bytes += document.data.count
    last.keep(document)
    return .next
  }

  /// What names the page's end, of its last document; nil where nothing is behind it.
  func end<End>(of name: (DocumentView) -> End) -> End? { isCut ? last.withView(name) : nil }

  /// - Parameters:
  ///   - revision: of a page of the past, which tells it and whose cursor names it.
  ///   - stoppedBehind: where the store stopped by itself.
  mutating func finish(
    in collection: CollectionPath, asOf revision: Revision? = nil, stoppedBehind: String? = nil
  ) -> ByteBuffer {
    let end = end(of: \.path.id) ?? stoppedBehind
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
