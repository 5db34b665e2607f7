import DocketStore
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import DocketService

@Suite("The watches of a connection")
struct ConnectionWatchesTests {
  /// What a connection is given to send.
  private final class Sink: WatchSink {
    enum Piece: Equatable {
      case copied(String)
      case shared(Int)
    }

    var pieces: [Piece] = []
    var hasEnded = false

    func sendFrames(_ write: (inout ByteBuffer) -> Void) {
      var output = ByteBuffer()
      write(&output)
      if output.readableBytes > 0 { pieces.append(.copied(String(buffer: output))) }
    }

    func sendShared(_ text: ByteBuffer) { pieces.append(.shared(text.readableBytes)) }

    func watchDidEnd() { hasEnded = true }
  }

  private let hub = WatchHub(InMemoryRepository(), limits: WatchLimits(backlogBytes: 100_000))
  private let sink = Sink()

  private func begin() throws -> (ConnectionWatches, Watch) {
    let port = WatchPort(execute: { $0() }, pause: { $0() })
    let watches = ConnectionWatches(hub: hub, port: port, sink: sink)
    let request = Request(method: .get, path: ByteBuffer(string: "/a/?watch=true"), data: nil)
    guard case .watch(let watch) = Router(limits: WireLimits()).operation(for: request) else { throw NoWatch() }
    #expect(watches.open(watch, id: ByteBuffer(string: "7"), newest: { .success(Revision(0)) }) == nil)
    let opened = try #require(hub.live.take().attaching.first)
    return (watches, opened)
  }

  private struct NoWatch: Error {}

  @Test("end with what they were begun with, each behind a last frame that says so, and the others go on")
  func forbidden() throws {
    let watches = ConnectionWatches(hub: hub, port: WatchPort(execute: { $0() }, pause: { $0() }), sink: sink)
    let (first, second) = (Grant(.everything), Grant(.everything))
    for (id, grant) in [("1", first), ("2", second), ("3", first)] {
      let request = Request(method: .get, path: ByteBuffer(string: "/a/?watch=true"), data: nil)
      guard case .watch(var watch) = Router(limits: WireLimits()).operation(for: request) else { throw NoWatch() }
      watch.grant = grant
      #expect(watches.open(watch, id: ByteBuffer(string: id), newest: { .success(Revision(0)) }) == nil)
    }
    let reason = Response.error(.unauthorized, "gone", "x")
    watches.endForbidden(reason)
    #expect(sink.pieces.isEmpty && hub.watches == 3)
    first.end()
    watches.endForbidden(reason)
    let frame = #"{"code": 401, "message": "Unauthorized", "data": {"error": "gone", "detail": "x"}, "id": "#
    guard case .copied(let text)? = sink.pieces.first else { throw NoWatch() }
    #expect(Set(text.split(separator: "\0").map(String.init)) == [frame + "1}", frame + "3}"])
    #expect(sink.pieces.count == 1 && sink.hasEnded && hub.watches == 1)
    watches.endForbidden(reason)
    #expect(sink.pieces.count == 1 && watches.end(named: "1").status == .notFound)
    second.end()
    watches.endForbidden(reason)
    #expect(sink.pieces.last == .copied(frame + "2}\0") && watches.isEmpty && hub.watches == 0)
    watches.close()
  }

  @Test("are sent small frames together, and large ones where they lie")
  func sharing() throws {
    let (watches, watch) = try begin()
    var delivery = WatchDelivery()
    for text in ["a", String(repeating: "b", count: 40_000), "c"] {
      delivery.add(delivery.add(ByteBuffer(string: text)), to: watch)
    }
    delivery.close()
    _ = delivery.handOver(0..<1)
    let end = ", \"id\": 7, \"continues\": true}\0"
    #expect(sink.pieces == [.copied("a" + end), .shared(40_000), .copied(end + "c" + end)])
    #expect(watch.outlet.isFull == false)
    watches.drained()
    watches.close()
  }

  @Test("are full until all is in the kernel, and what was parked goes on then")
  func room() throws {
    let (watches, watch) = try begin()
    let delivery = WatchDelivery(ByteBuffer(repeating: 0x61, count: 200_000), to: watch)
    #expect(watch.outlet.isFull)
    watch.outlet.park(watch)
    #expect(hub.replays.isEmpty)
    _ = delivery.handOver(0..<1)
    #expect(watch.outlet.isFull && hub.replays.isEmpty)
    watches.drained()
    #expect(!watch.outlet.isFull)
    #expect(hub.replays.next() === watch)
    watch.outlet.park(watch)
    #expect(hub.replays.next() === watch, "there was nothing to wait for")
    watches.close()
  }

  @Test("forget one that ends, wherever it waits, and send nothing more of it")
  func ending() throws {
    let (watches, watch) = try begin()
    let delivery = WatchDelivery(ByteBuffer(repeating: 0x61, count: 200_000), to: watch)
    watch.outlet.park(watch)
    #expect(hub.watches == 1)
    #expect(watches.end(named: "7").status == .noContent)
    #expect(hub.watches == 0)
    _ = delivery.handOver(0..<1)
    #expect(sink.pieces.isEmpty)
    watches.drained()
    #expect(hub.replays.isEmpty && !watch.outlet.isFull)
    #expect(watches.end(named: "7").status == .notFound)
    watches.close()
  }

  @Test("are given back their room when the connection ends before it was sent anything")
  func closing() throws {
    let (watches, watch) = try begin()
    let delivery = WatchDelivery(ByteBuffer(repeating: 0x61, count: 200_000), to: watch)
    watches.close()
    #expect(hub.watches == 0)
    _ = delivery.handOver(0..<1)
    #expect(!watch.outlet.isFull)
  }

  @Test("end behind a last frame, which says why")
  func lastFrame() throws {
    let (watches, watch) = try begin()
    let error = Response.error(.gone, "history_gone", "x")
    let delivery = WatchDelivery(ByteBuffer(lastFrame: error), to: watch, isLast: true)
    _ = delivery.handOver(0..<1)
    let text = #"{"code": 410, "message": "Gone", "data": {"error": "history_gone", "detail": "x"}, "id": 7}"#
    #expect(sink.pieces == [.copied(text + "\0")])
    #expect(sink.hasEnded && watches.isEmpty && hub.watches == 0)
    watches.close()
  }
}
