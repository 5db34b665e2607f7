import DocketJSON
import Testing

@Suite("JSON laid out for reading")
struct JSONFormatterTests {
  @Test(
    "each element and member has its line; tokens keep their bytes",
    arguments: [
      ("1.50e+3", "1.50e+3"), (" null ", "null"), (#""a, {\"b\": [\u0041]}""#, #""a, {\"b\": [\u0041]}""#),
      ("[]", "[]"), ("{ }", "{}"), ("[ [ ] , { } ]", "[\n  [],\n  {}\n]"),
      (#"{"a":1,"b":[true,"x"]}"#, "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    \"x\"\n  ]\n}"),
      ("{\n\"a\" :\t{ \"b\":null}}", "{\n  \"a\": {\n    \"b\": null\n  }\n}"),
    ])
  func layout(text: String, expected: String) {
    #expect(pretty(text) == expected)
    #expect(pretty(expected) == expected)
  }

  @Test("what is not JSON comes back as it is", arguments: ["", "{", "[1,]", "]]]", "\"", "hello\n"])
  func invalid(text: String) {
    #expect(pretty(text) == text)
  }

  @Test("the layout changes nothing in the value")
  func random() {
    var random = SeededGenerator(for: "formatter")
    for _ in 0..<500 {
      let text = Array(JSONTreeWriter.varied(.random(depth: 4, using: &random), using: &random).utf8)
      let laidOut = text.withUnsafeBytes { JSONFormatter.pretty($0) }
      let isSame = text.withUnsafeBytes { text in laidOut.withUnsafeBytes { JSONEquality.same(text, $0) } }
      #expect(isSame, "\(String(decoding: text, as: UTF8.self))")
    }
  }

  private func pretty(_ text: String) -> String {
    String(decoding: Array(text.utf8).withUnsafeBytes { JSONFormatter.pretty($0) }, as: UTF8.self)
  }
}
