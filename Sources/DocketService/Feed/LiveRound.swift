import DocketStore
import DocketWire
import NIOCore

/// What one reading of the live feed comes to: frames for each event loop, and the watches whose connections had no room.
struct LiveRound {
  private let history: ByteBuffer
  private var ways: [(port: WatchPort, delivery: WatchDelivery)] = []
  private(set) var paused: [Watch] = []
  /// Those whose first frame is here.
  private var begun: [Watch] = []

  /// It takes no more than so many frames, or bytes of events.
  private static let frames = 65_536
  private static let bytes = 1 << 20
  /// What conditions have looked through: of documents, once for each test.
  private var examinedBytes = 0
  /// So much takes some 20 ms.
  private static let examined = 16 << 20

  /// The event of the change that is being told, or of the same as one that watches with a condition see leave: its text,
  /// and its number in each delivery.
  private struct Event {
    var text: ByteBuffer?
    var numbers: [Int32] = []
  }

  /// A single change is not gone on with beyond this.
  private static let examinedOfChange = 4 * examined

  init(history: ByteBuffer) {
    self.history = history
  }

  var isFull: Bool {
    examinedBytes > Self.examined
      || ways.contains { $0.delivery.textBytes > Self.bytes || $0.delivery.frames.count > Self.frames }
  }

  /// Tells a change to all watches of a table that want it.
  mutating func tell(_ change: Change, to table: WatchTable) {
    var whole = Event()
    var leaving = Event()
    table.forEachWatch(of: change.path) { watch in
      guard change.sequence > watch.position, watch.pausedBefore == nil, !watch.hasEnded else { return }
      // Those whose turn does not come go on where connections take turns.
      guard examinedBytes <= Self.examinedOfChange || watch.request.tests == 0 else {
        return pause(watch, before: change.sequence)
      }
      examinedBytes += watch.request.tests * change.examinedBytes
      guard let told = watch.request.told(change) else { return }
      guard !watch.outlet.isFull else { return pause(watch, before: change.sequence) }
      if watch.isUntold {
        begun.append(watch)
        var first = Event()
        tell(change, told, watch.takeAddition(history), &first, to: watch)
      } else if told == .left {
        tell(change, told, nil, &leaving, to: watch)
      } else {
        tell(change, told, nil, &whole, to: watch)
      }
    }
  }

  private mutating func tell(
    _ change: Change, _ told: Told, _ addition: ByteBuffer?, _ event: inout Event, to watch: Watch
  ) {
    let text = event.text ?? Self.text(of: change, told, addition)
    event.text = text
    let way = way(of: watch.outlet.port)
    while event.numbers.count <= way { event.numbers.append(-1) }
    if event.numbers[way] < 0 { event.numbers[way] = ways[way].delivery.add(text) }
    ways[way].delivery.add(event.numbers[way], to: watch)
  }

  private static func text(of change: Change, _ told: Told, _ addition: ByteBuffer?) -> ByteBuffer {
    var text = ByteBuffer()
    text.reserveCapacity(256 + (change.document?.data.readableBytes ?? 0))
    text.writeChangeFrame(change, told, addition)
    return text
  }

  /// Tells the same text to a watch, unless its connection has no room.
  mutating func tell(_ text: ByteBuffer, to watch: Watch) {
    guard !watch.outlet.isFull else { return }
    let way = way(of: watch.outlet.port)
    ways[way].delivery.add(ways[way].delivery.add(text), to: watch)
  }

  private mutating func pause(_ watch: Watch, before sequence: Revision) {
    watch.pausedBefore = sequence
    paused.append(watch)
  }

  private mutating func way(of port: WatchPort) -> Int {
    if let index = ways.firstIndex(where: { $0.port === port }) { return index }
    ways.append((port, WatchDelivery()))
    return ways.count - 1
  }

  /// - Returns: what is to be sent.
  func finish() -> [(port: WatchPort, delivery: WatchDelivery)] {
    for (_, delivery) in ways { delivery.close() }
    for watch in paused {
      guard let sequence = watch.pausedBefore else { continue }
      watch.pausedBefore = nil
      watch.position = Revision(sequence.rawValue - 1)
    }
    return ways
  }

  /// Nothing of this is told.
  func discard() {
    for (_, delivery) in ways { delivery.discard() }
    for watch in paused { watch.pausedBefore = nil }
    for watch in begun { watch.isUntold = true }
  }
}

extension Change {
  /// What a test may have to look through.
  fileprivate var examinedBytes: Int {
    (document?.data.readableBytes ?? 0) + (before?.data.readableBytes ?? 0)
  }
}
