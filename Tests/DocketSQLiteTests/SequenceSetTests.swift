import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("The set of numbers of changes")
struct SequenceSetTests {
  @Test("holds what was put in and nothing else, of numbers close together and far apart, in any order")
  func random() {
    var random = SeededGenerator.forTest(named: "numbers of changes")
    var set = SequenceSet()
    var expected: Set<Int64> = []
    let ranges: [ClosedRange<Int64>] = [
      1...3_000, (.min)...(.max), (.max - 700)...(.max), (.min)...(.min + 700), -600...600,
    ]
    for _ in 0..<20_000 {
      let range = ranges.randomElement(using: &random) ?? 0...0
      let number = Int64.random(in: range, using: &random)
      #expect(set.insert(number) == expected.insert(number).inserted)
      let other = Int64.random(in: range, using: &random)
      #expect(set.contains(other) == expected.contains(other))
    }
    #expect(expected.allSatisfy { set.contains($0) } && !set.isIncomplete)
  }

  @Test("has no more pages than a file of its size can need, and says when it holds a part only")
  func bound() {
    var set = SequenceSet()
    for number in 0..<Int64(SequenceSet.pagesToSpare) * 2 { _ = set.insert(number << 20) }
    #expect(set.isIncomplete)
    #expect(set.bytes < 32 << 20)
    // What found room is still told.
    #expect(!set.insert(0) && set.contains(1 << 20))
  }

  @Test("always has room for a file without gaps, of the least bytes for each change")
  func dense() {
    let changes: Int64 = 1 << 26
    var set = SequenceSet(fileBytes: changes * 32)
    for number in stride(from: 1, through: changes, by: 512) { _ = set.insert(number) }
    #expect(!set.isIncomplete)
    #expect(set.bytes < changes)
  }
}
