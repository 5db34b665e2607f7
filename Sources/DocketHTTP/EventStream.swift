import DocketJSON
import DocketService
import DocketStore
import DocketWire
import NIOCore

/// A watch as a stream of server-sent events (https://html.spec.whatwg.org/#server-sent-events). It lives on its event loop.
///
///     id: 17
///     event: put
///     data: {"change": "put", "sequence": 17, …}
///
/// `id` is the sequence, by which a client goes on after an interruption (`Last-Event-ID`); `event` says what happened, as in
/// the native protocol; `problem` is the last one, where the stream ends otherwise than by its client.
final class EventStream {
  private var watches: ConnectionWatches?
  private var decoder: FrameDecoder
  /// What the client is to be sent.
  private var pending = ByteBuffer()
  private var waiting: CheckedContinuation<ByteBuffer?, Never>?
  private var isEnding = false
  private var lastTold = NIODeadline.now()

  /// The one watch that it has.
  private static let watchID = ByteBuffer(staticString: "1")

  init(hub: WatchHub, port: WatchPort) {
    // A frame that the server writes is as long as it is.
    decoder = FrameDecoder(maximumFrameBytes: .max)
    watches = ConnectionWatches(hub: hub, port: port, sink: self)
  }

  /// Returns why not, if not.
  func open(_ request: WatchRequest, newest: () -> Result<Revision, StoreError>) -> Response? {
    let refusal = watches?.open(request, id: Self.watchID, newest: newest)
    if refusal != nil { close() }
    return refusal
  }

  /// Tells what comes next, once there is something; nil behind the end. Whoever calls it has sent what came before.
  func tellNext(_ continuation: CheckedContinuation<ByteBuffer?, Never>) {
    if pending.readableBytes == 0 { watches?.drained() }
    waiting = continuation
    tell()
  }

  /// Ends it behind what is to be told, and says why.
  func end(_ reason: Response) {
    guard !isEnding else { return }
    watches?.endAll(reason)
    finish()
  }

  func close() {
    watches?.close()
    watches = nil
    finish()
  }

  /// Ends it if what it was begun with no longer holds.
  func checkAccess() {
    watches?.endForbidden(.invalidToken)
  }

  /// Sends a comment if nothing was told for so long.
  func breakSilence(after seconds: Double) {
    guard NIODeadline.now() - lastTold >= .milliseconds(Int64(seconds * 1000)) else { return }
    pending.writeStaticString(":\n\n")
    tell()
  }

  private func finish() {
    isEnding = true
    tell()
  }

  private func take() -> ByteBuffer {
    defer { pending = ByteBuffer() }
    lastTold = .now()
    return pending
  }

  /// Wakes who waits for what is told.
  private func tell() {
    guard let continuation = waiting, pending.readableBytes > 0 || isEnding else { return }
    waiting = nil
    continuation.resume(returning: pending.readableBytes > 0 ? take() : nil)
  }
}

extension EventStream: WatchSink {
  func sendFrames(_ write: (inout ByteBuffer) -> Void) {
    var frames = ByteBuffer()
    write(&frames)
    take(frames)
  }

  func sendShared(_ text: ByteBuffer) { take(text) }

  func watchDidEnd() { finish() }

  private func take(_ bytes: ByteBuffer) {
    decoder.append(bytes)
    while case .frame(let frame) = decoder.next() {
      guard let answer = try? Answer.parse(frame) else { preconditionFailure("the server's own frames are answers") }
      pending.writeEvent(answer)
    }
    tell()
  }
}

extension EventStream {
  /// Whether an `Accept` asks for events; with a weight of 0 it says that it does not take them (RFC 9110, section 12.4.2).
  static func isAccepted(_ accept: String) -> Bool {
    guard accept.utf8.count >= "text/event-stream".utf8.count else { return false }
    return accept.lowercased().split(separator: ",").contains { item in
      let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
      guard parts.first == "text/event-stream" else { return false }
      return !parts.dropFirst().contains {
        $0.hasPrefix("q=0") && $0.dropFirst(3).allSatisfy { $0 == "." || $0 == "0" }
      }
    }
  }
}

extension ByteBuffer {
  fileprivate mutating func writeEvent(_ answer: Answer) {
    guard answer.isSuccess else {
      writeStaticString("event: problem\n")
      return writeEventData(.problem(status: answer.code, title: answer.message, data: answer.data))
    }
    answer.data.withUnsafeReadableBytes { data in
      let sequence = FieldPath(unchecked: ["sequence"]).value(in: data)
      let change = FieldPath(unchecked: ["change"]).value(in: data)
      let isHeartbeat = if case .string(let name) = change { name.elementsEqual("heartbeat".utf8) } else { false }
      // A heartbeat within a snapshot has no number yet from which a client that breaks off could go on.
      if case .number(let sequence) = sequence, !isHeartbeat || !sequence.token.elementsEqual("0".utf8) {
        writeStaticString("id: ")
        writeBytes(sequence.token)
        writeStaticString("\n")
      }
      if case .string(let change) = change {
        writeStaticString("event: ")
        writeBytes(change)
        writeStaticString("\n")
      }
    }
    writeEventData(answer.data)
  }

  /// A line break in a document's text is white space of its JSON; here it takes a line of its own.
  private mutating func writeEventData(_ data: ByteBuffer) {
    for line in data.readableBytesView.split(
      omittingEmptySubsequences: true, whereSeparator: { $0 == 0x0A || $0 == 0x0D })
    {
      writeStaticString("data: ")
      writeBytes(line)
      writeStaticString("\n")
    }
    writeStaticString("\n")
  }
}
