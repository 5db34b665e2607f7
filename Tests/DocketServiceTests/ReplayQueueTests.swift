import DocketStore
import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import DocketService

@Suite("The queue of watches that wait for a reading")
struct ReplayQueueTests {
  private let hub = WatchHub(InMemoryRepository(), limits: WatchLimits())

  /// Of one connection.
  private func watches(_ count: Int) throws -> [Watch] {
    let outlet = hub.makeOutlet(WatchPort(execute: { $0() }, pause: { $0() }))
    let request = Request(method: .get, path: ByteBuffer(string: "/a/?watch=true"), data: nil)
    guard case .watch(let watch) = Router(limits: WireLimits()).operation(for: request) else { throw NoWatch() }
    return (0..<count).map {
      Watch(watch, id: ByteBuffer(integer: $0), name: "\($0)", position: Revision(0), outlet: outlet)
    }
  }

  private struct NoWatch: Error {}

  @Test("keeps no more of those that have ended than of others, and removes them together")
  func ended() throws {
    let watches = try watches(1_000)
    let queue = ReplayQueue()
    queue.add(watches)
    var removals = 0
    for watch in watches.dropLast() {
      let before = queue.count
      #expect(watch.end())
      queue.didEnd()
      if queue.count < before { removals += 1 }
    }
    // Each halves it: what an end costs does not grow with the queue.
    #expect(removals <= 10)
    #expect(queue.count <= 3)
    while let next = queue.next() { if !next.hasEnded { #expect(next === watches.last) } }
    #expect(queue.isEmpty)
  }

  @Test("keeps those in their turn that go on")
  func order() throws {
    let watches = try watches(9)
    let queue = ReplayQueue()
    queue.add(watches)
    for number in stride(from: 0, to: 9, by: 2) {
      #expect(watches[number].end())
      queue.didEnd()
    }
    var rest: [Watch] = []
    while let next = queue.next() { if !next.hasEnded { rest.append(next) } }
    #expect(rest.map(\.name) == ["1", "3", "5", "7"])
  }

  @Test("has connections take turns, whatever each has waiting")
  func turns() throws {
    let (many, few, one) = (try watches(1_000), try watches(2), try watches(1))
    let queue = ReplayQueue()
    queue.add(many)
    queue.add(few)
    queue.add(one)
    func next() -> Watch? {
      guard let next = queue.next() else { return nil }
      // It has more to be read.
      queue.add([next])
      return next
    }
    let turns = (0..<9).map { _ in next() }
    for first in [0, 3, 6] {
      let number = first / 3
      #expect(turns[first] === many[number] && turns[first + 1] === few[number % 2] && turns[first + 2] === one[0])
    }
    // Whoever has none left takes no turn.
    for watch in few {
      #expect(watch.end())
      queue.didEnd()
    }
    for watch in many.dropLast(2) {
      #expect(watch.end())
      queue.didEnd()
    }
    #expect(queue.count < 10)
    var left = 0
    while let next = queue.next() { if !next.hasEnded { left += 1 } }
    #expect(left == 3 && queue.isEmpty)
  }
}
