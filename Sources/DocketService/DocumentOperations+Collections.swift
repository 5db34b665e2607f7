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
  private var isCut = false
  private let isTrial: Bool

  /// - Parameter isTrial: whether its documents may have revisions that will be others'.
  init(isTrial: Bool = false) { self.isTrial = isTrial }

  mutating func add(_ document: Document, limit: Int, bytes limitBytes: Int) -> ScanStep {
    // Only a document behind the page shows that the page is not the last.
    guard count == 0 || (count < limit && bytes + document.data.readableBytes <= limitBytes) else {
      isCut = true
      return .stop
    }
    if count > 0 { text.writeStaticString(", ") }
    text.writeItem(document, withRevision: !isTrial)
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
    text.writeStaticString("], \"next\": ")
    if let end = isCut ? lastID : stoppedBehind {
      text.writeJSONString(Cursor(id: end, in: collection, asOf: revision).text)
    } else {
      text.writeStaticString("null")
    }
    if let revision {
      text.writeStaticString(", \"asOf\": ")
      text.writeDecimal(revision.rawValue)
    }
    text.writeStaticString("}")
    return text
  }
}
