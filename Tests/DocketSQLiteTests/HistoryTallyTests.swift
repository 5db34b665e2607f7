import Testing

@testable import DocketSQLite

@Suite("What this process has added to the history")
struct HistoryTallyTests {
  @Test("What is undone, wholly or in part, counts once, when it is done again, and what is committed is taken once")
  func undone() {
    var tally = HistoryTally()
    for sequence in Int64(1)...4 { tally.add(sequence, bytes: 10) }
    #expect(tally.bytes == 40)
    // Looked at before its commit, which fails.
    #expect(tally.take(through: 0) == (0, 0))
    for sequence in Int64(1)...3 { tally.add(sequence, bytes: 5) }
    #expect(tally.bytes == 15)
    tally.add(2, bytes: 7)
    #expect(tally.bytes == 12)
    #expect(tally.take(through: 1) == (1, 5) && tally.bytes == 7)
    #expect(tally.take(through: 9) == (1, 7) && tally.bytes == 0)
  }

  @Test("Where nobody asks the older ones are forgotten")
  func bounded() {
    var tally = HistoryTally()
    for sequence in Int64(1)...200_000 { tally.add(sequence, bytes: 1) }
    #expect(tally.bytes <= 65_536 && tally.bytes >= 32_768)
    #expect(tally.take(through: 200_000).rows <= 65_536)
  }
}
