import DocketWire
import NIOCore

/// Frames for connections of one event loop.
///
/// An event that many watches are told is text that they share; each connection's frames are a chain through `frames`, so that
/// its event loop writes them in one go. Only the live feed makes such chains.
struct WatchDelivery: Sendable {
  struct Frame: Sendable {
    let watch: Watch
    /// The number of its event; the frame is this text and the watch's end.
    let event: Int32
    let isLast: Bool
    /// The next frame of the same connection; negative: there is none.
    var next: Int32 = -1
  }

  private var events: [ByteBuffer] = []
  private(set) var frames: [Frame] = []
  private var outlets: [(outlet: WatchOutlet, first: Int32)] = []
  private(set) var bytes = 0
  /// Of the events, which is what they take of memory.
  private(set) var textBytes = 0

  init() {}

  /// One frame, or several of which the last one's end is left out.
  init(_ text: ByteBuffer, to watch: Watch, isLast: Bool = false) {
    events = [text]
    frames = [Frame(watch: watch, event: 0, isLast: isLast)]
    outlets = [(watch.outlet, 0)]
    bytes = size(of: frames[0])
    textBytes = text.readableBytes
    watch.outlet.add(bytes)
  }

  var isEmpty: Bool { frames.isEmpty }

  /// Adds the beginning of frames, up to their `id`.
  /// - Returns: its number.
  mutating func add(_ event: ByteBuffer) -> Int32 {
    events.append(event)
    textBytes += event.readableBytes
    return Int32(events.count - 1)
  }

  mutating func add(_ event: Int32, to watch: Watch, isLast: Bool = false) {
    let index = Int32(frames.count)
    let outlet = watch.outlet
    if outlet.tail >= 0 { frames[Int(outlet.tail)].next = index } else { outlets.append((outlet, index)) }
    outlet.tail = index
    frames.append(Frame(watch: watch, event: event, isLast: isLast))
    let size = events[Int(event)].readableBytes + (isLast ? watch.lastFrameEnd : watch.frameEnd).readableBytes
    bytes += size
    outlet.add(size)
  }

  /// Ends the putting together of frames; to be called before they are delivered.
  func close() {
    for (outlet, _) in outlets { outlet.tail = -1 }
  }

  /// Undoes all that was added.
  func discard() {
    close()
    for frame in frames { frame.watch.outlet.takeBack(size(of: frame)) }
  }

  /// How many connections have frames here.
  var connections: Int { outlets.count }

  /// Hands the frames of some connections to them. On their event loop.
  /// - Returns: how many frames they are.
  func handOver(_ range: Range<Int>) -> Int {
    var count = 0
    for (outlet, first) in outlets[range] {
      let receiver = outlet.receiver
      receiver?.take(self, from: first)
      var index = first
      while index >= 0 {
        if receiver == nil { outlet.drained(size(of: frames[Int(index)])) }
        index = frames[Int(index)].next
        count += 1
      }
    }
    return count
  }

  private func size(of frame: Frame) -> Int { events[Int(frame.event)].readableBytes + end(of: frame).readableBytes }

  private func end(of frame: Frame) -> ByteBuffer { frame.isLast ? frame.watch.lastFrameEnd : frame.watch.frameEnd }

  /// The text of a frame that is so large that connections share it rather than have copies; nil of others.
  func sharedText(of index: Int32) -> ByteBuffer? {
    let frame = frames[Int(index)]
    let event = events[Int(frame.event)]
    return event.readableBytes >= Self.sharedBytes && !frame.watch.hasEnded ? event : nil
  }

  private static let sharedBytes = 32 << 10

  /// Writes frames of a connection, but those of watches that have ended, up to one whose text is shared.
  /// - Parameters:
  ///   - index: the number of the first; becomes that of the one behind what was written.
  ///   - textIsSent: whether the text of the first was sent, so that only its end is to be written.
  ///   - didEnd: called with each watch whose last frame was written.
  /// - Returns: how much of what is on its way to the connection they are, those that were not written included.
  func write(
    from index: inout Int32, textIsSent: Bool, into output: inout ByteBuffer, didEnd: (Watch) -> Void
  ) -> Int {
    var bytes = 0
    var isFirstSent = textIsSent
    while index >= 0, isFirstSent || sharedText(of: index) == nil {
      let frame = frames[Int(index)]
      let event = isFirstSent ? ByteBuffer() : events[Int(frame.event)]
      if isFirstSent { bytes += events[Int(frame.event)].readableBytes }
      let isCut = isFirstSent
      isFirstSent = false
      let end = end(of: frame)
      let size = event.readableBytes + end.readableBytes
      bytes += size
      // A frame that was begun is ended, whatever becomes of its watch.
      if isCut || !frame.watch.hasEnded {
        output.writePieces(atMost: size) { writer in
          event.withUnsafeReadableBytes { writer.append($0) }
          end.withUnsafeReadableBytes { writer.append($0) }
        }
        if frame.isLast { didEnd(frame.watch) }
      }
      index = frame.next
    }
    return bytes
  }
}

extension ByteBuffer {
  /// The beginning of a frame that is no error: what follows is its data.
  mutating func writeFrameStart() {
    writeStaticString("{\"code\": 200, \"message\": \"OK\", \"data\": ")
  }

  /// The beginning of a last frame, which says why the watch ends.
  init(lastFrame response: Response) {
    self.init()
    writeStaticString("{\"code\": ")
    writeDecimal(response.status.rawValue)
    writeStaticString(", \"message\": \"")
    writeStaticString(response.status.phrase)
    writeStaticString("\", \"data\": ")
    if let data = response.data { writeImmutableBuffer(data) } else { writeStaticString("null") }
  }
}
