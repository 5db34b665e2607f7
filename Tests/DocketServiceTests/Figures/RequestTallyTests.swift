import DocketMetrics
import DocketWire
import Testing

@testable import DocketService

@Suite("What a loop counts")
struct RequestTallyTests {
  private static func account(_ meter: RequestMeter, _ kind: RequestKind) throws -> RequestMeter.Account {
    try #require(meter.accounts.first { $0.kind == kind })
  }

  @Test("What a tick has answered has taken as long as the tick, reads at once and all others")
  func ticks() throws {
    var tally = RequestTally()
    let meter = RequestMeter()
    tally.readsAtOnce += 3
    tally.addInTick(.read, .refused)
    tally.addInTick(.query, .failed)
    // A macro would take a copy, of which there is none.
    let before = tally.hasAnsweredInTick
    tally.endTick(duration: 200_000)
    let after = tally.hasAnsweredInTick
    #expect(before && !after)
    tally.flush(into: meter)
    let reads = try Self.account(meter, .read)
    #expect(reads.counts == [3, 1, 0])
    #expect(reads.durations.counts[2] == 4 && reads.durations.count == 4)
    #expect(abs(reads.durations.sum - 0.0008) < 1e-9)
    #expect(try Self.account(meter, .query).counts == [0, 0, 1])
  }

  @Test("What is answered later is counted with what it took, at the bounds and beyond them")
  func later() throws {
    var tally = RequestTally()
    let meter = RequestMeter()
    tally.add(.write, .ok, duration: 50_000)
    tally.add(.write, .ok, duration: 50_001)
    tally.add(.write, .ok, duration: 60_000_000_000)
    tally.flush(into: meter)
    let writes = try Self.account(meter, .write).durations
    #expect(writes.counts[0] == 1 && writes.counts[1] == 1 && writes.counts.last == 1)
  }

  @Test("What was told is not told again, and adds up to what the others tell")
  func flushes() throws {
    var one = RequestTally()
    var other = RequestTally()
    let meter = RequestMeter()
    one.add(.batch, .ok, duration: 1)
    other.add(.batch, .ok, duration: 1)
    one.flush(into: meter)
    one.flush(into: meter)
    other.flush(into: meter)
    one.endTick(duration: 5)
    one.flush(into: meter)
    #expect(try Self.account(meter, .batch).counts == [2, 0, 0])
    #expect(try Self.account(meter, .batch).durations.count == 2)
  }

  @Test("A status says how a request ended")
  func outcomes() {
    #expect(RequestOutcome(.ok) == .ok && RequestOutcome(.notModified) == .ok)
    #expect(RequestOutcome(.badRequest) == .refused && RequestOutcome(.forbidden) == .refused)
    #expect(RequestOutcome(.serviceUnavailable) == .failed)
  }
}
