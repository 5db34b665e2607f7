import DocketServer
import DocketService
import DocketWire
import NIOCore

/// The streams of events of one event loop's connections. It lives on that loop.
final class EventStreams {
  struct ID: Hashable, Sendable {
    fileprivate let number: Int
  }

  private let eventLoop: any EventLoop
  private let port: WatchPort
  private let commentSeconds: Double
  private var streams: [ID: EventStream] = [:]
  private var lastNumber = 0
  private var isEnding = false
  /// Whether it will look after them before long.
  private var willLook = false

  private static let lookMilliseconds: Int64 = 250

  /// - Parameter commentSeconds: how often a stream that has nothing to tell sends a comment.
  init(on eventLoop: any EventLoop, commentSeconds: Double) {
    self.eventLoop = eventLoop
    self.commentSeconds = commentSeconds
    port = WatchPort(
      execute: { work in eventLoop.execute(work) },
      pause: { work in LoopTurns.shared.execute(on: eventLoop, work) })
  }

  /// Begins a stream, or says why not.
  func open(_ request: WatchRequest, by service: DocumentService) -> HTTPDesk.Outcome {
    guard !isEnding, let hub = service.watchHub else { return .response(.watchClosing, nil) }
    let stream = EventStream(hub: hub, port: port)
    service.session.beginTick()
    let refusal = stream.open(request, newest: service.session.newestRevision)
    service.session.endTick()
    if let refusal { return .response(refusal, nil) }
    lastNumber += 1
    let id = ID(number: lastNumber)
    streams[id] = stream
    lookSoon()
    return .stream(id)
  }

  /// Tells what comes next in a stream, once there is something; nil behind its end.
  func tellNext(of id: ID, _ continuation: CheckedContinuation<ByteBuffer?, Never>) {
    guard let stream = streams[id] else { return continuation.resume(returning: nil) }
    stream.tellNext(continuation)
  }

  /// The client has gone, or the stream has ended.
  func close(_ id: ID) {
    streams.removeValue(forKey: id)?.close()
  }

  /// Ends all, and says why. No further one begins.
  func end() {
    isEnding = true
    for stream in streams.values { stream.end(.watchClosing) }
  }

  private func lookSoon() {
    guard !willLook, !streams.isEmpty else { return }
    willLook = true
    eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Self.lookMilliseconds)) { [self] in
      willLook = false
      look()
      lookSoon()
    }
  }

  /// Ends those that are no longer allowed, and has those say something that are silent.
  private func look() {
    for stream in streams.values {
      stream.checkAccess()
      stream.breakSilence(after: commentSeconds)
    }
  }
}
