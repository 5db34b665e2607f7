import DocketJSON
import Foundation
import Testing

@Suite("JSON as Foundation sees it")
struct FoundationComparisonTests {
  @Test("random texts, valid and mutated, are accepted where Foundation accepts them, but for the known differences")
  func differential() {
    var random = SeededGenerator(for: "comparison with Foundation")
    var verdicts = (valid: 0, invalid: 0)
    for _ in 0..<4_000 {
      var text = Array(JSONTreeWriter.varied(.random(depth: 3, using: &random), using: &random).utf8)
      for _ in 0..<random.choose(3) { mutate(&text, using: &random) }
      let ours = text.withUnsafeBytes { bytes in (try? JSONScanner.validate(bytes)) != nil }
      let theirs = (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
      guard ours == theirs || !isKnownDifference(text, acceptedByFoundation: theirs) else { continue }
      #expect(ours == theirs, "\(String(decoding: text, as: UTF8.self)) \(text)")
      if ours { verdicts.valid += 1 } else { verdicts.invalid += 1 }
    }
    // The comparison says something only if both kinds came up.
    #expect(verdicts.valid > 200 && verdicts.invalid > 200)
  }

  private func mutate(_ text: inout [UInt8], using random: inout SeededGenerator) {
    let pieces = [
      "\"", "\\", "\\u00e9", ",", ":", "[", "]", "{", "}", "0", "-", ".", "e", "null", " ", "é", "\u{1}", "'",
    ]
    let place = random.choose(text.count + 1)
    switch random.choose(4) {
    case 0: text.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: place)
    case 1: text.removeSubrange(place..<min(text.count, place + 1 + random.choose(3)))
    case 2: text.removeSubrange(place...)
    default: if place < text.count { text[place] = UInt8.random(in: 0...255, using: &random) }
    }
  }

  /// Where Foundation (6.3 on Linux) departs from RFC 8259 or takes less than it allows.
  private func isKnownDifference(_ text: [UInt8], acceptedByFoundation: Bool) -> Bool {
    let text = String(decoding: text, as: UTF8.self)
    if acceptedByFoundation {
      // It takes one comma too much at the end of an object or array.
      return text.contains(/,[ \t\r\n]*[\]}]/)
    }
    // It takes no half of a surrogate pair, and no number that a Double cannot hold.
    return text.contains(/\\u[dD][89a-fA-F]/) || text.contains(/[eE][+-]?0*[0-9]{3,}/)
  }
}
