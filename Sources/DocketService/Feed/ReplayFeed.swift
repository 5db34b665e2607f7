import DocketStore
import DocketWire
import NIOCore

/// Reads what watches have missed, a page at a time and each in its turn, at the pace of their connections; those that have
/// come to the end go on to the live feed. A page is short, also where little is told of what is looked at.
///
/// It belongs to the thread that calls `run`.
final class ReplayFeed {
  private let hub: WatchHub
  private let reader: any ChangeReader
  /// The name of the history, once it was asked for.
  private var history: String?

  private static let changesForPage = 20_000
  private static let documentsForPage = 5_000

  init(_ hub: WatchHub, _ reader: any ChangeReader) {
    self.hub = hub
    self.reader = reader
  }

  /// Works until the store closes.
  func run() {
    while reader.wait(forChanges: false, milliseconds: hub.replays.isEmpty ? nil : 0), !hub.replays.follower.isStopped {
      guard let watch = hub.replays.next(), !watch.hasEnded else { continue }
      guard !watch.outlet.isFull else {
        watch.outlet.park(watch)
        continue
      }
      if let refusal = readOn(watch) { hub.tell(refusal, to: watch) }
      guard hub.replays.follower.waitForRoom(watch.outlet.port, reader) else { return }
    }
  }

  /// Reads a page for a watch and decides what becomes of it. Returns why it must end, if so.
  private func readOn(_ watch: Watch) -> Response? {
    if watch.isUntold, let refusal = checkHistory(watch) { return refusal }
    switch watch.phase {
    case .snapshot(let revision, let behind): return readSnapshot(watch, of: revision, behind: behind)
    case .changes: return readChanges(watch)
    }
  }

  private func checkHistory(_ watch: Watch) -> Response? {
    if history == nil {
      switch reader.newest() {
      case .success(let (_, name)): history = name
      case .failure(let error): return error.response
      }
    }
    guard let wanted = watch.request.history, let history, wanted != history else { return nil }
    return .otherHistory(history)
  }

  // MARK: Changes

  private func readChanges(_ watch: Watch) -> Response? {
    let request = watch.request
    var page = ReplayPage(watch, history: history ?? "")
    let interest = watch.request.scope.interest
    let range = ChangeRange(after: watch.position, withBefore: request.filter != nil, scanLimit: Self.changesForPage)
    var end = PageEnd()
    let result = reader.changes(range, of: interest) { change in
      guard !page.isFull, !end.hasCome() else { return .stop }
      if let told = request.told(change) { page.tell(change, told) }
      return .next
    }
    switch result {
    case .success(let progress):
      watch.position = progress.sequence
      tellHeartbeat(at: progress.sequence, in: &page)
      send(page)
      if progress.isAtEnd { hub.live.attach(watch) } else { hub.replays.add([watch]) }
      return nil
    case .failure(.closed): return nil
    case .failure(let error): return error.response
    }
  }

  // MARK: Snapshots

  private func readSnapshot(_ watch: Watch, of revision: Revision?, behind: DocumentPath?) -> Response? {
    let revision = revision.map { .success($0) } ?? reader.newest().map(\.sequence)
    switch revision {
    case .success(let revision):
      var page = ReplayPage(watch, history: history ?? "")
      switch readDocuments(of: watch, at: revision, behind: behind, into: &page) {
      case .success(let last?):
        watch.phase = .snapshot(of: revision, behind: last)
        // Nothing of it counts as told yet.
        tellHeartbeat(at: Revision(0), in: &page)
      case .success(nil):
        page.tellMarker("live", at: revision)
        watch.awaitsLive = false
        watch.phase = .changes
        watch.position = revision
      case .failure(.closed): return nil
      case .failure(let error): return error.response
      }
      send(page)
      hub.replays.add([watch])
      return nil
    case .failure(.closed): return nil
    case .failure(let error): return error.response
    }
  }

  /// - Returns: the document behind which to go on; nil at the end.
  private func readDocuments(
    of watch: Watch, at revision: Revision, behind: DocumentPath?, into page: inout ReplayPage
  ) -> Result<DocumentPath?, StoreError> {
    let filter = watch.request.filter
    let moment = PastMoment(revision: revision)
    switch watch.request.scope {
    case .document(let path):
      return reader.document(at: path, asOf: moment).map { document in
        document?.withView { if filter?.matches($0) ?? true { page.tell($0) } }
        return nil
      }
    case .documents(let scope):
      let after = behind.map { Query.Position(values: [], path: $0) }
      var last = LastDocument()
      var looked = 0
      var isCut = false
      var end = PageEnd()
      let readable = watch.request.readable
      let report = reader.query(Query(scope: scope, readable: readable, after: after, moment: moment)) { document in
        isCut = looked >= Self.documentsForPage || page.isFull || end.hasCome()
        if isCut { return .stop }
        looked += 1
        last.keep(document)
        if filter?.matches(document) ?? true { page.tell(document) }
        return .next
      }
      return report.map { _ in isCut ? last.withView(\.path) : nil }
    }
  }

  private func tellHeartbeat(at sequence: Revision, in page: inout ReplayPage) {
    guard let seconds = page.watch.request.heartbeatSeconds, let due = page.watch.nextBeat, due <= .now() else {
      return
    }
    page.tellMarker("heartbeat", at: sequence)
    page.watch.nextBeat = .now() + .seconds(seconds)
  }

  private func send(_ page: ReplayPage) {
    guard let delivery = page.delivery else { return }
    hub.send(delivery, to: page.watch.outlet.port)
  }
}

/// Frames of one watch, in one text.
private struct ReplayPage {
  let watch: Watch
  private let history: String
  private var text = ByteBuffer()
  private var frames = 0

  private let limitBytes: Int

  private static let limitFrames = 1_000

  init(_ watch: Watch, history: String) {
    self.watch = watch
    limitBytes = watch.outlet.pageBytes
    self.history = history
  }

  var isFull: Bool { frames >= Self.limitFrames || text.readableBytes >= limitBytes }

  mutating func tell(_ change: Change, _ told: Told) {
    let addition = beginFrame()
    text.writeChangeFrame(change, told, addition)
  }

  mutating func tell(_ document: DocumentView) {
    let addition = beginFrame()
    text.writeSnapshotFrame(document, addition)
  }

  mutating func tellMarker(_ change: StaticString, at sequence: Revision) {
    let addition = beginFrame()
    text.writeMarkerFrame(change, at: sequence, addition)
  }

  /// Ends the frame before.
  private mutating func beginFrame() -> ByteBuffer? {
    if frames > 0 {
      watch.frameEnd.withUnsafeReadableBytes { _ = text.writeBytes($0) }
    } else {
      text.reserveCapacity(limitBytes + limitBytes / 8)
    }
    frames += 1
    return watch.isUntold ? watch.takeAddition(history.feedAddition) : nil
  }

  /// nil where there are no frames.
  var delivery: WatchDelivery? { frames > 0 ? WatchDelivery(text, to: watch) : nil }
}

extension WatchRequest.Scope {
  /// What tells whether a document is watched.
  fileprivate var interest: ChangeInterest {
    switch self {
    case .documents(.everything): return { _, _ in true }
    case .documents(.collection(let path)):
      let name = Array(path.description.utf8)
      return { collection, _ in collection.elementsEqual(name) }
    case .documents(.tree(let path)):
      let name = Array(path.description.utf8)
      return { collection, _ in collection.starts(with: name) }
    case .document(let path):
      let (name, ownID) = (Array(path.collection.description.utf8), Array(path.id.utf8))
      return { collection, id in id.elementsEqual(ownID) && collection.elementsEqual(name) }
    }
  }
}
