import DocketJSON
import Testing

/// A JSON text, or what only looks like one, named by what it shows.
struct CorpusText: CustomTestStringConvertible, Sendable {
  let name: String
  let bytes: [UInt8]
  /// What is wrong with it; nil for a valid text.
  let error: JSONError?

  var testDescription: String { name }

  static func valid(_ name: String, _ text: String) -> Self {
    Self(name: name, bytes: Array(text.utf8), error: nil)
  }

  static func valid(_ name: String, bytes: [UInt8]) -> Self { Self(name: name, bytes: bytes, error: nil) }

  /// - Parameter offset: the byte at which the error must be told.
  static func invalid(_ name: String, _ text: String, _ reason: JSONError.Reason, at offset: Int) -> Self {
    Self(name: name, bytes: Array(text.utf8), error: JSONError(reason, offset: offset))
  }

  static func invalid(_ name: String, bytes: [UInt8], _ reason: JSONError.Reason, at offset: Int) -> Self {
    Self(name: name, bytes: bytes, error: JSONError(reason, offset: offset))
  }

  /// A text that is cut off; the error is told at its end.
  static func cut(_ name: String, _ text: String) -> Self {
    .invalid(name, text, .unexpectedEnd, at: text.utf8.count)
  }

  /// A text that cannot go on with the ASCII character at `offset`.
  static func unexpected(_ name: String, _ text: String, at offset: Int) -> Self {
    .invalid(name, text, .unexpectedByte(Array(text.utf8)[offset]), at: offset)
  }

  /// The bytes as the inside of a string.
  static func inString(_ bytes: [UInt8]) -> [UInt8] { Array("\"".utf8) + bytes + Array("\"".utf8) }
}

enum JSONCorpus {
  static let texts = valid + invalid

  static let valid: [CorpusText] = [
    .valid("true", "true"),
    .valid("false", "false"),
    .valid("null", "null"),
    .valid("white space of all four kinds around a value", " \t\r\n1 \t\r\n"),
    .valid("white space everywhere it may stand", "\n{ \"a\" : [ 1 , 2 ] ,\t\"b\"\r:\n{ } }\n"),

    .valid("zero", "0"),
    .valid("minus zero", "-0"),
    .valid("one digit", "7"),
    .valid("a negative integer", "-123"),
    .valid("a fraction", "123.456789"),
    .valid("zero with a fraction", "0.5"),
    .valid("minus zero with a fraction", "-0.0"),
    .valid("trailing zeros of a fraction", "1.500"),
    .valid("an exponent", "1e5"),
    .valid("an exponent with a capital letter", "1E5"),
    .valid("an exponent with plus", "1e+5"),
    .valid("an exponent with minus", "1E-5"),
    .valid("an exponent with zeros in front", "1e005"),
    .valid("zero to the zeroth", "0e0"),
    .valid("a fraction and an exponent", "-1.5e+10"),
    .valid("an exponent no float has", "1e400"),
    .valid("a negative exponent no float has", "123.456e-789"),
    .valid("an exponent of 25 digits", "1e9999999999999999999999999"),
    .valid("an integer past 64 bits", "123456789012345678901234567890"),
    .valid("the smallest 64-bit integer", "-9223372036854775808"),
    .valid("a fraction of a hundred digits", "0." + String(repeating: "3", count: 100)),
    .valid("an integer of ten thousand digits", String(repeating: "9", count: 10_000)),
    .valid("numbers in an array", "[0,-1,2.5,3e3]"),
    .valid("a number before white space", "[1 ]"),

    .valid("an empty string", #""""#),
    .valid("a string", #""asd""#),
    .valid("all escapes of two characters", #""\"\\\/\b\f\n\r\t""#),
    .valid("an escaped NUL", #""\u0000""#),
    .valid("escapes with digits of both cases", #""\u00aF\uAbCd""#),
    .valid("a surrogate pair in escapes", #""\ud83d\uDE00""#),
    .valid("the first surrogate pair", #""\ud800\udc00""#),
    .valid("the last surrogate pair", #""\udbff\udfff""#),
    .valid("a lone high surrogate", #""\ud800""#),
    .valid("a lone low surrogate", #""\udc00""#),
    .valid("a surrogate pair in the wrong order", #""\udc00\ud800""#),
    .valid("two high surrogates", #""\ud800\ud800""#),
    .valid("a high surrogate before a letter", #""\ud800abc""#),
    .valid("a high surrogate before another escape", #""\ud800\n""#),
    .valid("a high surrogate before an escape of no surrogate", #""\uD888\u1234""#),
    .valid("escaped noncharacters", #""\uFFFE\uFFFF\uDBFF\uDFFE""#),
    .valid("an escaped backslash before u", #""\\u0000""#),
    .valid("an escaped backslash at the end", #""a\\""#),
    .valid("an escaped quote at the end", #""a\"""#),
    .valid("a slash that is not escaped", #""a/b""#),
    .valid("DEL", "\"\u{7F}\""),
    .valid("C1 controls", "\"\u{80}\u{9F}\""),
    .valid("characters of two bytes, first and last", "\"\u{80}\u{7FF}\""),
    .valid("characters of three bytes, first and last", "\"\u{800}\u{FFFF}\""),
    .valid("the characters beside the surrogates", "\"\u{D7FF}\u{E000}\""),
    .valid("characters of four bytes, first and last", "\"\u{10000}\u{10FFFF}\""),
    .valid(
      "noncharacters",
      bytes: CorpusText.inString([0xEF, 0xBF, 0xBE, 0xF0, 0x9F, 0xBF, 0xBF, 0xEF, 0xB7, 0x90])),
    .valid("a byte order mark inside a string", "\"\u{FEFF}\""),
    .valid("line and paragraph separators", "\"\u{2028}\u{2029}\""),
    .valid("combining marks", "\"e\u{301}\""),
    .valid("brackets and comments in a string", #""[{]},: /* */ //""#),
    .valid("a single quote in a string", #""it's""#),
    .valid(
      "strings of every length from 0 to 40",
      "[" + (0...40).map { "\"\(String(repeating: "x", count: $0))\"" }.joined(separator: ",") + "]"),
    .valid(
      "an escape at every place of a word",
      "[" + (0...16).map { "\"\(String(repeating: "x", count: $0))\\n\"" }.joined(separator: ",") + "]"),
    .valid(
      "é at every place of a word",
      "[" + (0...16).map { "\"\(String(repeating: "x", count: $0))é\"" }.joined(separator: ",") + "]"),
    .valid("a string of 100,000 characters", "\"" + String(repeating: "abcdefghi\u{20AC}", count: 10_000) + "\""),

    .valid("an empty array", "[]"),
    .valid("an empty array with white space", "[ \n]"),
    .valid("one element", "[1]"),
    .valid("elements of all kinds", #"[null,true,false,0,"",[],{}]"#),
    .valid("arrays in arrays", "[[],[[]],[[],[]]]"),
    .valid("an empty object", "{}"),
    .valid("an empty object with white space", "{\t}"),
    .valid("one member", #"{"a":1}"#),
    .valid("members of all kinds", #"{"a":null,"b":true,"c":0,"d":"","e":[],"f":{}}"#),
    .valid("an empty key", #"{"":0}"#),
    .valid("equal keys", #"{"a":1,"a":2}"#),
    .valid("equal keys with equal values", #"{"a":1,"a":1}"#),
    .valid("keys with escapes", #"{"\u0000\n\"":0,"\ud800":1}"#),
    .valid("a key beyond ASCII", #"{"ключ":"значение"}"#),
    .valid("a long key", "{\"" + String(repeating: "k", count: 1_000) + "\":0}"),
    .valid("objects and arrays in turn", #"[{"a":[{"b":[{}]}]}]"#),
    .valid("128 arrays", String(repeating: "[", count: 128) + String(repeating: "]", count: 128)),
    .valid("128 objects", String(repeating: #"{"a":"#, count: 127) + "{}" + String(repeating: "}", count: 127)),
    .valid("128 of both", String(repeating: #"[{"a":"#, count: 64) + "1" + String(repeating: "}]", count: 64)),
    .valid("many containers beside each other", "[" + String(repeating: "[],{},", count: 500) + "[]]"),
  ]

  static let invalid = JSONCorpus.structure + numbers + strings + encodings
}
