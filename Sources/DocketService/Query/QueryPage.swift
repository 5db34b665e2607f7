import DocketStore
import NIOCore

/// A page of a query's results as it grows.
struct QueryPage: Sendable {
  private let request: QueryPageRequest
  private var page = Page()
  private var last: Document?

  init(_ request: QueryPageRequest) {
    self.request = request
  }

  /// - Parameter limitBytes: the size at which the page ends, in bytes of documents, whatever is shown of them.
  mutating func add(_ document: Document, bytes limitBytes: Int) -> ScanStep {
    let step = page.add(document, showing: request.projection?.apply, limit: request.limit, bytes: limitBytes)
    if case .next = step { last = document }
    return step
  }

  /// `{"items": […], "next": …`, its brace left open.
  /// - Parameter revision: of a page of the past, which its cursor names.
  mutating func finish(asOf revision: Revision?) -> ByteBuffer {
    var next: String?
    if page.isCut, let last {
      let position = QueryOrder(request.sort).position(of: last)
      next = QueryCursor(position, asOf: revision).text(of: request.fingerprint)
    }
    return page.finish(next: next)
  }
}
