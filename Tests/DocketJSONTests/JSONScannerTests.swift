import DocketJSON
import Testing

@Suite("Checking JSON text")
struct JSONScannerTests {
  @Test("valid texts are accepted, others refused with the reason and the place", arguments: JSONCorpus.texts)
  func corpus(text: CorpusText) {
    #expect(error(of: text.bytes) == text.error)
  }

  @Test("a text that is cut anywhere never crashes, and none is valid that ends inside a container or a string")
  func cut() {
    for text in JSONCorpus.texts where text.bytes.count < 5_000 {
      let firstByte = text.bytes.first { $0 > 0x20 }
      let isNested = firstByte.map { [UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\"")].contains($0) } ?? false
      // Behind its last byte but white space, a valid text is whole.
      let end = (text.bytes.lastIndex { $0 > 0x20 } ?? 0) + 1
      for length in 0..<text.bytes.count {
        let error = error(of: text.bytes.prefix(length))
        if text.error == nil, length >= end { #expect(error == nil, "\(text.name), \(length) bytes") }
        if text.error == nil, length < end, isNested {
          #expect(error == JSONError(.unexpectedEnd, offset: length), "\(text.name), \(length) bytes")
        }
        if let whole = text.error, let error, length <= whole.offset {
          // What stands in front of the error is right, so nothing can be told of it but that it ends.
          let isEnd = error.reason == .unexpectedEnd
          #expect(
            isEnd || whole.reason == .invalidUTF8 || whole.reason == .invalidEscape || error == whole,
            "\(text.name), \(length) bytes")
        }
      }
    }
  }

  @Test("a value inside a text is skipped alone, and counted from the depth that it is said to be at")
  func skipValue() throws {
    try Array(#"[1] , {"a":"b"}"#.utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      #expect(try scanner.skipValue() == 0..<3)
      #expect(scanner.offset == 3)
      scanner.skipWhitespace()
      #expect(scanner.next == UInt8(ascii: ","))
      scanner.offset = 6
      #expect(try scanner.skipValue(depth: 127) == 6..<15)
      try scanner.finish()
      #expect(scanner.next == nil)
      scanner.offset = 6
      #expect(throws: JSONError(.tooDeep(limit: 128), offset: 6)) { try scanner.skipValue(depth: 128) }
    }
  }

  @Test("the depth limit can be lower; a scalar needs no depth")
  func lowerLimit() {
    #expect(error(of: Array("[[]]".utf8), maximumDepth: 2) == nil)
    #expect(error(of: Array("[[]]".utf8), maximumDepth: 1) == JSONError(.tooDeep(limit: 1), offset: 1))
    #expect(error(of: Array("[]".utf8), maximumDepth: 0) == JSONError(.tooDeep(limit: 0), offset: 0))
    #expect(error(of: Array("1".utf8), maximumDepth: 0) == nil)
  }

  @Test("a string token tells where it lies and whether it holds a backslash")
  func stringTokens() throws {
    for (text, end, hasEscapes) in [(#""""#, 2, false), (#""12345678"x"#, 10, false), (#""1234567\n"""#, 11, true)] {
      let token = try Array(text.utf8).withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        return try scanner.skipString()
      }
      #expect(token.range == 0..<end)
      #expect(token.hasEscapes == hasEscapes)
    }
    #expect(throws: JSONError(.unexpectedByte(UInt8(ascii: "1")), offset: 0)) {
      try Array("1".utf8).withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        _ = try scanner.skipString()
      }
    }
  }

  @Test("every byte of a string is judged as UTF-8 judges it, at every place of a word, as Swift's own decoder does")
  func everySequence() {
    let edges: [UInt8] = [0x00, 0x20, 0x22, 0x41, 0x5C, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE9, 0xFF]
    for first in UInt8(0x80)...0xFF {
      for second in edges {
        for third in [UInt8(0x41), 0x80, 0xBF, 0xC0] {
          let content = [first, second, third, 0x80, 0x41]
          for offset in [0, 5] {
            let bytes = CorpusText.inString(Array(repeating: 0x78, count: offset) + content)
            let isValid = String(validating: bytes, as: UTF8.self) != nil && ![0x00, 0x22, 0x5C].contains(second)
            #expect((error(of: bytes) == nil) == isValid, "\(bytes)")
          }
        }
      }
    }
  }

  @Test(
    "errors say in words what is wrong and where",
    arguments: [
      ("", "the JSON text ends too early at byte 0"),
      ("[1,]", "a trailing comma at byte 3"),
      ("{'a':1}", "a single quote where JSON has double quotes at byte 1"),
      ("[1 2]", "an unexpected \"2\" at byte 3"),
      ("[\u{1}]", "an unexpected byte 0x01 at byte 1"),
      ("\u{FEFF}1", "an unexpected byte 0xEF (JSON is sent without a byte order mark) at byte 0"),
      ("[1] // x", "something behind the end of the JSON value at byte 4"),
      ("/* */ 1", "an unexpected \"/\" (JSON has no comments) at byte 0"),
      ("{\"a\" \"b\"}", "an unexpected double quote at byte 5"),
      ("\"\n\"", "a control character in a string that is not escaped at byte 1"),
      (#""\x""#, "a backslash that begins no escape JSON has at byte 1"),
      ("01", "a number JSON does not have at byte 1"),
      (String(repeating: "[", count: 129), "arrays and objects nested deeper than 128 at byte 128"),
    ])
  func descriptions(text: String, description: String) {
    #expect(error(of: Array(text.utf8))?.description == description)
  }

  private func error(of bytes: some Sequence<UInt8>, maximumDepth: Int = JSONLimits.maximumDepth) -> JSONError? {
    Array(bytes).withUnsafeBytes { bytes in
      do throws(JSONError) {
        try JSONScanner.validate(bytes, maximumDepth: maximumDepth)
        return nil
      } catch {
        return error
      }
    }
  }
}
