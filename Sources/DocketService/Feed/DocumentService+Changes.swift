import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  /// `{"items": […], "next": …, "sequence": …, "history": …}`
  func readChanges(_ request: ChangesRequest, completion: @escaping (Response) -> Void) {
    let (limit, pageBytes) = (request.limit, limits.pageBytes)
    session.changes(
      ChangeRange(after: request.since, withBefore: request.filter != nil, scanLimit: Self.changesLookedAt),
      into: ChangesPage(),
      visit: { page, change in page.add(change, told: request.told(change), limit: limit, bytes: pageBytes) },
      completion: { result in
        switch result {
        case .success((_, _, let history)) where request.history.map { $0 != history } ?? false:
          completion(.otherHistory(history))
        case .success((var page, let progress, let history)):
          completion(Response(.ok, data: page.finish(progress, history)))
        case .failure(.ahead(let newest)) where request.history != nil: self.refuse(request, newest, completion)
        case .failure(let error): completion(error.response)
        }
      })
  }

  /// Of another history a revision may be ahead.
  private func refuse(_ request: ChangesRequest, _ newest: Revision, _ completion: @escaping (Response) -> Void) {
    session.status { result in
      let history = try? result.get().historyID
      completion(
        history.flatMap { $0 == request.history ? nil : .otherHistory($0) } ?? StoreError.ahead(newest: newest).response
      )
    }
  }

  /// A page of changes ends by itself when it has looked at so many.
  private static let changesLookedAt = 100_000
}

extension Response {
  static func otherHistory(_ history: String) -> Response {
    .error(
      .conflict, "other_history",
      "'since' is of another history of the database than the one there is now, \(history); what it numbers is not the same here. Begin anew, with a snapshot."
    )
  }
}

/// A page of changes as it grows.
private struct ChangesPage: Sendable {
  private var text = ByteBuffer(staticString: "{\"items\": [")
  private var count = 0
  private var bytes = 0
  /// Of the last item.
  private var batch: Revision?
  /// Where that batch begins in the text; nil where nothing is before it.
  private var textBeforeBatch: Int?
  /// Of a page that ends before a batch: the change before it.
  private var cut: Revision?

  /// - Parameter told: nil: nothing is told of it.
  mutating func add(_ change: Change, told: Told?, limit: Int, bytes limitBytes: Int) -> ScanStep {
    // What was written as one is shown as one, as far as a page can hold it.
    let continues = batch != nil && change.batch == batch
    let size = change.document?.data.readableBytes ?? 0
    guard count == 0 || ((count < limit || continues) && bytes + size <= limitBytes) else {
      if continues { leaveBatch() }
      return .stop
    }
    guard let told else { return .next }
    if change.batch != nil, !continues { textBeforeBatch = count > 0 ? text.writerIndex : nil }
    if count > 0 { text.writeStaticString(", ") }
    text.writeChange(change, told: told)
    text.writeStaticString("}")
    count += 1
    bytes += size
    batch = change.batch
    return .next
  }

  /// A batch that does not fit behind what is here is for the next page.
  private mutating func leaveBatch() {
    guard let textBeforeBatch, let batch else { return }
    text.moveWriterIndex(to: textBeforeBatch)
    cut = Revision(batch.rawValue - 1)
  }

  mutating func finish(_ end: ChangeProgress, _ history: String) -> ByteBuffer {
    let progress = cut.map { ChangeProgress(sequence: $0, isAtEnd: false) } ?? end
    text.writeStaticString("], \"next\": ")
    if progress.isAtEnd { text.writeStaticString("null") } else { text.writeDecimal(progress.sequence.rawValue) }
    text.writeStaticString(", \"sequence\": ")
    text.writeDecimal(progress.sequence.rawValue)
    text.writeStaticString(", \"history\": ")
    text.writeJSONString(history)
    text.writeStaticString("}")
    return text
  }
}
