import Testing

@testable import DocketSQLite

@Suite("What this process has added to the history")
struct HistoryTallyTests {
  private static func numbers(_ changes: [HistoryTally.Change]) -> [Int64] { changes.map(\.sequence) }

  @Test("What is undone, wholly or in part, does not count, and what is committed is taken once")
  func undone() {
    var tally = HistoryTally()
    for sequence in Int64(1)...4 { tally.add(sequence, bytes: 10) }
    #expect(tally.bytes == 40)
    // Looked at before its commit, which fails.
    #expect(tally.take(through: 0).isEmpty)
    tally.undo(behind: 0)
    #expect(tally.bytes == 0)
    for sequence in Int64(1)...3 { tally.add(sequence, bytes: 5) }
    tally.undo(behind: 1)
    tally.add(2, bytes: 7)
    #expect(tally.bytes == 12)
    #expect(Self.numbers(tally.take(through: 1)) == [1] && tally.bytes == 7)
    #expect(Self.numbers(tally.take(through: 9)) == [2] && tally.bytes == 0)
  }

  @Test("Where nobody asks the older ones are forgotten")
  func bounded() {
    var tally = HistoryTally()
    for sequence in Int64(1)...1_000_000 { tally.add(sequence, bytes: 1) }
    #expect(tally.bytes <= 262_144 && tally.bytes >= 131_072)
    #expect(tally.take(through: 1_000_000).last?.sequence == 1_000_000 && tally.bytes == 0)
  }
}
