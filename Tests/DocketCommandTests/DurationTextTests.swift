import Testing

@testable import docket

@Suite("A length of time")
struct DurationTextTests {
  @Test(
    "is a whole number and its unit",
    arguments: [
      ("90d", 7_776_000), ("12h", 43_200), ("30m", 1_800), ("45s", 45), ("0001s", 1), ("36500d", 3_153_600_000),
    ]
      as [(String, Int64)])
  func lengths(_ text: String, _ seconds: Int64) throws {
    #expect(DurationText(argument: text)?.seconds == seconds)
    #expect(try DurationText(text: text).seconds == seconds)
  }

  @Test(
    "is refused where it is something else, nothing, or more than a hundred years",
    arguments: [
      "", "d", "90", "0s", "-1d", "+1d", "1.5h", "1 d", "1D", "1w", "d1", "1dd", "36501d", "9223372036854775807d",
      "99999999999999999999s", "١s",
    ])
  func refusals(_ text: String) {
    #expect(DurationText(argument: text) == nil)
    let error = #expect(throws: (any Error).self) { try DurationText(text: text) }
    #expect(error.map { "\($0)".contains("'\(text)' is not a length of time such as 90d") } == true)
  }

  @Test("is told in its largest unit that is whole", arguments: ["90d", "12h", "30m", "45s", "36h", "90m", "61s"])
  func described(_ text: String) throws {
    #expect(try DurationText(text: text).defaultValueDescription == text)
  }
}
