import DocketStore
import NIOCore

/// A page of a query's results as it grows.
struct QueryPage: Sendable {
  private let request: QueryPageRequest
  private var page = Page()
  /// Of the last document, where the best come first.
  private var lastScore: Double?

  init(_ request: QueryPageRequest) {
    self.request = request
  }

  /// - Parameter limitBytes: the size at which the page ends, in bytes of documents, whatever is shown of them.
  mutating func add(_ document: DocumentView, bytes limitBytes: Int) -> ScanStep {
    page.add(document, showing: request.projection?.apply, limit: request.limit, bytes: limitBytes)
  }

  /// The same of a document that a search for words has found; how well it fits is shown, and where.
  mutating func add(_ match: TextMatch, bytes limitBytes: Int) -> ScanStep {
    let step = match.document.withView { document in
      page.add(document, showing: request.projection?.apply, found: match, limit: request.limit, bytes: limitBytes)
    }
    if case .next = step { lastScore = match.score }
    return step
  }

  /// `{"items": […], "next": …`, its brace left open.
  /// - Parameter revision: of a page of the past, which its cursor names.
  /// - Throws: `cursor_too_long`, where its end could not be named in a request: the page alone would hide that what is
  ///   behind it is out of reach.
  mutating func finish(asOf revision: Revision?) throws(ParameterError) -> ByteBuffer {
    var next: String?
    let end = page.end { last in
      lastScore.map { Query.Position(score: $0, path: last.path) } ?? QueryOrder(request.sort).position(of: last)
    }
    if let position = end {
      let cursor = QueryCursor(position, asOf: revision)
      let text = cursor.text(of: request.fingerprint)
      // Without values it is no longer than a path allows.
      if text.utf8.count > QueryCursor.maximumBytes, let longest = cursor.longestValue {
        throw .cursorTooLong(request.sort[longest], bytes: text.utf8.count, path: position.path)
      }
      next = text
    }
    return page.finish(next: next)
  }
}

extension ParameterError {
  fileprivate static func cursorTooLong(_ key: Query.SortKey, bytes: Int, path: DocumentPath) -> ParameterError {
    ParameterError(
      code: "cursor_too_long",
      detail:
        "The page ends with \(path), where '\(key.field.name)' is too long to page by: the cursor would have \(bytes) bytes, of \(QueryCursor.maximumBytes) at most. Ask with a larger 'limit', so that the page ends elsewhere, or with another 'sort'."
    )
  }
}
