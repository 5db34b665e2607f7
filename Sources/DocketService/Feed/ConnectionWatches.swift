import DocketStore
import DocketWire
import NIOCore

/// Takes what watches write to their connection.
public protocol WatchSink: AnyObject {
  /// Sends what `write` appends to the connection's output.
  func sendFrames(_ write: (inout ByteBuffer) -> Void)

  /// Sends a text that others may be sent, too: it is not copied.
  func sendShared(_ text: ByteBuffer)

  /// A watch has ended, and there may be no other.
  func watchDidEnd()
}

/// The watches of one connection. It lives on the connection's event loop.
public final class ConnectionWatches {
  private let hub: WatchHub
  private let outlet: WatchOutlet
  private unowned let sink: any WatchSink
  private var watches: [String: Watch] = [:]
  /// What they were begun with, each once. It is looked at again and again, and most connections have one for all.
  private var grants: [Grant] = []
  /// What was taken of frames since everything was in the kernel.
  private var takenBytes = 0

  public init(hub: WatchHub, port: WatchPort, sink: any WatchSink) {
    self.hub = hub
    self.sink = sink
    outlet = hub.makeOutlet(port)
    outlet.receiver = self
  }

  public var isEmpty: Bool { watches.isEmpty }

  /// Begins a watch. Returns why not, if not; otherwise all that is told of it comes in frames of its own.
  /// - Parameters:
  ///   - id: the request's `id`, as JSON text.
  ///   - newest: finds the newest change that a read in the place of the request would see.
  public func open(
    _ request: WatchRequest, id: ByteBuffer?, newest: () -> Result<Revision, StoreError>
  ) -> Response? {
    guard let id else { return .watchNeedsID }
    let name = id.jsonText ?? String(buffer: id)
    guard watches[name] == nil else { return .watchIDInUse(name) }
    guard watches.count < hub.limits.perConnection else {
      return .tooManyWatches("This connection has \(hub.limits.perConnection) watches", "--max-connection-watches")
    }
    if let refusal = hub.admit(request) { return refusal }
    let refusal = hub.hold.whileOpening { begin(request, id: id, name: name, newest: newest()) }
    if refusal != nil { hub.dismiss(request) }
    return refusal
  }

  private func begin(
    _ request: WatchRequest, id: ByteBuffer, name: String, newest: Result<Revision, StoreError>
  ) -> Response? {
    switch newest {
    case .failure(let error): return error.response
    case .success(let newest):
      var position = newest
      if case .since(let since) = request.start {
        // Of another history it may be ahead; that is found out where it is read.
        guard since <= newest || request.history != nil else { return StoreError.ahead(newest: newest).response }
        position = since
      }
      let watch = Watch(request, id: id, name: name, position: position, outlet: outlet)
      watches[name] = watch
      if let grant = request.grant, !grants.contains(where: { $0 === grant }) { grants.append(grant) }
      hub.open(watch, newest: newest)
      return nil
    }
  }

  /// Ends a watch, of which no frame is told from now on.
  public func end(named name: String) -> Response {
    guard let watch = watches.removeValue(forKey: name) else { return .noWatch(name) }
    hub.end(watch)
    return Response(.noContent)
  }

  /// Ends all, and says why.
  public func endAll(_ reason: Response) { end(Array(watches.values), reason) }

  /// Ends those that were begun with what does not hold any more, and says why.
  public func endForbidden(_ reason: Response) {
    guard grants.contains(where: \.isOver) else { return }
    grants.removeAll(where: \.isOver)
    end(watches.values.filter { $0.request.grant?.isOver == true }, reason)
  }

  private func end(_ ending: [Watch], _ reason: Response) {
    guard !ending.isEmpty else { return }
    for watch in ending { watches[watch.name] = nil }
    sink.sendFrames { output in
      for watch in ending {
        output.writeImmutableBuffer(ByteBuffer(lastFrame: reason))
        output.writeImmutableBuffer(watch.lastFrameEnd)
      }
    }
    for watch in ending { hub.end(watch) }
    sink.watchDidEnd()
  }

  /// The connection has ended.
  public func close() {
    for watch in watches.values { hub.end(watch) }
    watches = [:]
    outlet.receiver = nil
    drained()
  }

  /// All that was sent is in the kernel, or nowhere.
  public func drained() {
    guard takenBytes > 0 else { return }
    let bytes = takenBytes
    takenBytes = 0
    outlet.drained(bytes)
  }

  func take(_ delivery: WatchDelivery, from first: Int32) {
    var ended: [Watch] = []
    var index = first
    var textIsSent = false
    while index >= 0 {
      sink.sendFrames { output in
        // Before it is sent, so that it counts when all is drained.
        takenBytes += delivery.write(from: &index, textIsSent: textIsSent, into: &output) { ended.append($0) }
      }
      textIsSent = false
      if index >= 0, let text = delivery.sharedText(of: index) {
        sink.sendShared(text)
        textIsSent = true
      }
    }
    for watch in ended {
      watches[watch.name] = nil
      hub.end(watch)
    }
    if !ended.isEmpty { sink.watchDidEnd() }
  }
}

extension Response {
  static var watchNeedsID: Response {
    .error(
      .badRequest, "watch_needs_id",
      "A watch needs an 'id', a string or an integer, by which its frames are known among the answers.")
  }

  /// The answer to a watch where nothing can be told later.
  public static var watchNeedsSession: Response {
    .error(
      .badRequest, "watch_needs_session",
      "A watch goes on, so it needs a persistent session: the first request of the connection must have \"headers\": {\"Connection\": \"keep-alive\"}."
    )
  }

  /// What watches are told when the server ends.
  public static var watchClosing: Response {
    .retry(
      .serviceUnavailable, "closing", "The server is ending; ask the next one with the last 'sequence' as 'since'",
      afterSeconds: 1)
  }

  fileprivate static func watchIDInUse(_ name: String) -> Response {
    .error(
      .conflict, "watch_id_in_use",
      "A watch of this connection has the id '\(name.shortened)' already; take another one, or end it with DELETE /_watches/\(name.shortened)."
    )
  }

  public static func noWatch(_ name: String) -> Response {
    .error(.notFound, "no_watch", "This connection has no watch '\(name.shortened)'.")
  }

  static func tooManyWatches(_ what: String, _ flag: String) -> Response {
    .retry(
      .serviceUnavailable, "too_many_watches", "\(what) already, which is all that there may be at once (\(flag)).",
      afterSeconds: 1)
  }
}
