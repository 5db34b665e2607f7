import DocketJSON
import NIOCore
import Testing

@Suite("JSON strings")
struct JSONStringTests {
  static let meanings: [(token: String, text: String)] = [
    (#""""#, ""),
    (#""plain""#, "plain"),
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
    (#""\u0041\u00e9\u20AC""#, "Aé€"),
    (#""\ud83d\ude00 and \uD83D\uDE00""#, "😀 and 😀"),
    (#""a\u0000b""#, "a\0b"),
    (#""é€😀""#, "é€😀"),
    (
      #""\u007f\u0080\u07ff\u0800\uffff\ud800\udc00\udbff\udfff""#,
      "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}"
    ),
    (#""\\u0041""#, "\\u0041"),
    (#""e\u0301""#, "e\u{301}"),
  ]

  @Test("a token is decoded to the text that it stands for", arguments: meanings)
  func decodes(token: String, text: String) {
    #expect(decode(token).map { Array($0.utf8) } == Array(text.utf8))
  }

  @Test(
    "half of a surrogate pair is not text",
    arguments: [
      #""\ud800""#, #""\udc00""#, #""a\udfffb""#, #""\udc00\ud800""#, #""\ud800\ud800\udc00""#, #""\ud800x""#,
      #""\ud800\n""#, #""\ud800\\udc00""#, #""\ud83d\u0041""#,
    ])
  func loneSurrogates(token: String) {
    #expect(decode(token) == nil)
  }

  @Test(
    "only quotes, backslashes and control characters are escaped",
    arguments: [
      ("", #""""#), ("é/😀\u{7F}\u{2028}", "\"é/😀\u{7F}\u{2028}\""), ("\"\\", #""\"\\""#),
      ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#), ("a\0b\u{1F}", #""a\u0000b\u001f""#),
    ])
  func encodes(text: String, token: String) {
    var bytes = Array("x".utf8)
    JSONString.encode(text, into: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "x" + token)

    var buffer = ByteBuffer()
    #expect(buffer.writeJSONString(text) == token.utf8.count)
    #expect(String(buffer: buffer) == token)
  }

  @Test("what is encoded is valid and decodes to the same text, for every scalar below U+3000 and some above")
  func roundTrip() throws {
    for value in Array(0..<0x3000) + [0xD7FF, 0xE000, 0xFFFF, 0x1_0000, 0x10_FFFF] {
      guard let scalar = UnicodeScalar(UInt32(value)) else { continue }
      let text = "a\(scalar)b"
      var bytes: [UInt8] = []
      JSONString.encode(text, into: &bytes)
      try bytes.withUnsafeBytes { try JSONScanner.validate($0) }
      let decoded = bytes.withUnsafeBytes { JSONString.decode($0) }
      #expect(decoded?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }
  }

  @Test(
    "what a token stands for is told in bytes, half of a surrogate pair as WTF-8",
    arguments: [
      (#""""#, []), (#""a\u0000é""#, [0x61, 0, 0xC3, 0xA9]), (#""\ud83d\ude00""#, [0xF0, 0x9F, 0x98, 0x80]),
      (#""\ud800""#, [0xED, 0xA0, 0x80]), (#""\udfff\ud800x""#, [0xED, 0xBF, 0xBF, 0xED, 0xA0, 0x80, 0x78]),
    ] as [(String, [UInt8])])
  func content(token: String, bytes: [UInt8]) {
    #expect(Array(token.utf8).withUnsafeBytes { JSONString.content(of: $0) } == bytes)
  }

  @Test(
    "it is known whether a token writes an ASCII character with an escape",
    arguments: [
      (#""""#, false), (#""plain é""#, false), (#""\u0061""#, true), (#""\u007F""#, true), (#""\u0080""#, false),
      (#""\u00e9\ud83d\ude00""#, false), (#""\u00e9\u0030""#, true), (#""a\n""#, true), (#""\"""#, true),
      (#""\\""#, true),
      (#""\/""#, true), (#""\ud800""#, false),
    ])
  func escapes(token: String, escapesASCII: Bool) {
    #expect(Array(token.utf8).withUnsafeBytes { JSONString.escapesASCII($0) } == escapesASCII)
  }

  private func decode(_ token: String) -> String? {
    Array(token.utf8).withUnsafeBytes { JSONString.decode($0) }
  }
}
