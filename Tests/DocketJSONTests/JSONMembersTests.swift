import DocketJSON
import Testing

@Suite("Members of an object")
struct JSONMembersTests {
  @Test("members come in the order of the text, equal keys included, with the exact bytes of their values")
  func inOrder() throws {
    let text = #" { "a" : [1, 2] ,"\u0062":{"c":null},"a":1e0 } "#
    #expect(try members(of: text) == [#""a""#, "[1, 2]", #""\u0062""#, #"{"c":null}"#, #""a""#, "1e0"])
    #expect(try members(of: "{}") == [])
    #expect(try members(of: "{ }") == [])
  }

  @Test(
    "a text that is not one object is refused",
    arguments: [
      ("", JSONError(.unexpectedEnd, offset: 0)),
      ("[]", JSONError(.unexpectedByte(UInt8(ascii: "[")), offset: 0)),
      ("{", JSONError(.unexpectedEnd, offset: 1)),
      (#"{"a""#, JSONError(.unexpectedEnd, offset: 4)),
      (#"{"a":"#, JSONError(.unexpectedEnd, offset: 5)),
      (#"{"a":1"#, JSONError(.unexpectedEnd, offset: 6)),
      (#"{"a":1,}"#, JSONError(.trailingComma, offset: 7)),
      (#"{"a":1]"#, JSONError(.unexpectedByte(UInt8(ascii: "]")), offset: 6)),
      (#"{"a":1}}"#, JSONError(.trailingBytes, offset: 7)),
    ])
  func refused(text: String, error: JSONError) {
    #expect(throws: error) { try members(of: text) }
  }

  @Test("values are measured from the depth that they are said to be at")
  func depth() throws {
    let text = #"{"a":"# + String(repeating: "[", count: 128) + String(repeating: "]", count: 128) + "}"
    #expect(try members(of: text).count == 2)
    #expect(throws: JSONError(.tooDeep(limit: 128), offset: 5 + 127)) { try members(of: text, depth: 1) }
  }

  private func members(of text: String, depth: Int = 0) throws -> [String] {
    try Array(text.utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      scanner.skipWhitespace()
      var members = try JSONMembers(of: scanner, depth: depth)
      var found: [String] = []
      while let member = try members.next() {
        found.append(String(decoding: bytes[member.key.range], as: UTF8.self))
        found.append(String(decoding: bytes[member.value], as: UTF8.self))
      }
      try members.finish()
      return found
    }
  }
}
