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

  private func decode(_ token: String) -> String? {
    Array(token.utf8).withUnsafeBytes { JSONString.decode($0) }
  }
}
