import DocketStore
import DocketTestSupport
import NIOConcurrencyHelpers
import Testing

@testable import DocketService

@Suite("What watches are about to read")
struct HistoryHoldTests {
  private let repository = InMemoryRepository()

  @Test("is kept as a whole while a watch finds out where it begins, and from there on behind it")
  func moves() {
    let hold = HistoryHold(repository) {}
    hold.whileOpening { #expect(repository.keptAfter == Revision(0)) }
    hold.move(to: Revision(9)) { [Revision(7), Revision(8)] }
    #expect(repository.keptAfter == Revision(7))
    hold.move(to: nil) { [] }
    #expect(repository.keptAfter == nil)
  }

  @Test("is let go by a move that came while others were opening: it is asked for again behind the last of them")
  func missedMove() {
    let calls = NIOLockedValueBox(0)
    let hold = HistoryHold(repository) { calls.withLockedValue { $0 += 1 } }
    hold.whileOpening {
      hold.whileOpening { hold.move(to: nil) { [] } }
      #expect(calls.withLockedValue { $0 } == 0 && repository.keptAfter == Revision(0))
    }
    #expect(calls.withLockedValue { $0 } == 1)
    // Once is enough.
    hold.move(to: nil) { [] }
    hold.whileOpening {}
    #expect(calls.withLockedValue { $0 } == 1)
  }

  @Test("is let go by the server where the feed looked while a watch of the past was opening")
  func letsGo() async throws {
    let hub = WatchHub(repository, limits: WatchLimits())
    try hub.start()
    // The feed is woken in the middle, as by the opening of a watch, and has the time to look.
    hub.hold.whileOpening {
      hub.live.follower.wake?()
      hub.hold.move(to: nil) { [] }
    }
    for _ in 1...1_000 where repository.keptAfter != nil { try await Task.sleep(for: .milliseconds(10)) }
    #expect(repository.keptAfter == nil)
    repository.close()
    await hub.stop()
  }
}
