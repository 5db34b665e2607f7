import DocketJSON
import Testing

@Suite("Merge patches")
struct MergePatchTests {
  @Test(
    "the examples of RFC 7396, appendix A, give what it says",
    arguments: [
      (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
      (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
      (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
      (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
      (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
      (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
      (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
      (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
      (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
      (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
      (#"{"a":"foo"}"#, #"null"#, #"null"#),
      (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
      (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
      (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
      (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
  func rfc(target: String, patch: String, result: String) {
    #expect(merge(patch, into: target) == result)
  }

  @Test(
    "what the patch does not touch keeps its bytes, and the layout stays",
    arguments: [
      ("an empty patch changes nothing", #"{ "a" : 1.0 , "b":[ 1,2 ] }"#, "{}", #"{ "a" : 1.0, "b":[ 1,2 ] }"#),
      ("number forms", #"{"a":1.50e+3,"b":-0}"#, #"{"b":1E2}"#, #"{"a":1.50e+3,"b":1E2}"#),
      ("a key keeps its form", #"{"\u0061":1}"#, #"{"a":2}"#, #"{"\u0061":2}"#),
      ("a key keeps its place", #"{"a":1,"b":2,"c":3}"#, #"{"b":0}"#, #"{"a":1,"b":0,"c":3}"#),
      ("new keys in the patch's order", #"{"a":1}"#, #"{"c":1,"b":2}"#, #"{"a":1,"c":1,"b":2}"#),
      ("new members take over the spacing", #"{"a": 1, "b": 2}"#, #"{"c": 3}"#, #"{"a": 1, "b": 2, "c": 3}"#),
      ("the first one gone leaves no gap", #"{"a": 1, "b": 2}"#, #"{"a":null}"#, #"{"b": 2}"#),
      ("the last one gone leaves no comma", #"{"a": 1, "b": 2}"#, #"{"b":null}"#, #"{"a": 1}"#),
      ("all gone", #"{ "a": 1, "b": 2 }"#, #"{"a":null,"b":null}"#, "{}"),
      ("lines", "{\n  \"a\": 1,\n  \"b\": 2\n}", #"{"b":null,"c": 3}"#, "{\n  \"a\": 1,\n  \"c\": 3\n}"),
      ("nested", #"{"a": {"x": 1, "y": [ ]}, "b": 2}"#, #"{"a":{"x":3}}"#, #"{"a": {"x": 3, "y": [ ]}, "b": 2}"#),
      ("space around the texts is dropped", " {\"a\":1}\n", "\t{\"b\":2} ", #"{"a":1,"b":2}"#),
      ("a value of the patch keeps its bytes", "{}", #"{"a":[ 1.0,null ]}"#, #"{"a":[ 1.0,null ]}"#),
      ("null that is not there", #"{"a":1}"#, #"{"b":null}"#, #"{"a":1}"#),
      ("untouched equal keys stay", #"{"a":1,"a":2}"#, #"{"b":3}"#, #"{"a":1,"a":2,"b":3}"#),
      ("of equal keys the last is changed", #"{"a":1,"a":{"x":2}}"#, #"{"a":{"y":3}}"#, #"{"a":{"x":2,"y":3}}"#),
      ("equal keys are removed together", #"{"a":1,"\u0061":2}"#, #"{"a":null}"#, "{}"),
      ("of equal keys in the patch the last counts", #"{"a":1}"#, #"{"a":null,"a":2,"b":1,"b":null}"#, #"{"a":2}"#),
      ("equal keys in a new object", "{}", #"{"o":{"a":1,"a":null,"b":null,"b":1}}"#, #"{"o":{"b":1}}"#),
      ("an object over a scalar", #"{"a":1}"#, #"{"a":{"b":null,"c":{"d":null}}}"#, #"{"a":{"c":{}}}"#),
      ("nulls in arrays stay", "{}", #"{"a":[{"b":null}]}"#, #"{"a":[{"b":null}]}"#),
      ("an empty object over an object", #"{"a":{"b":1}}"#, #"{"a":{}}"#, #"{"a":{"b":1}}"#),
    ])
  func bytes(what: String, target: String, patch: String, result: String) {
    #expect(merge(patch, into: target) == result, "\(what)")
  }

  @Test("random patches on random values do what the RFC's algorithm does on trees")
  func reference() throws {
    var random = SeededGenerator(for: "merge patch")
    for _ in 0..<1_000 {
      let target = JSONTree.random(depth: 4, using: &random)
      let patch = JSONTree.randomObject(depth: 4, using: &random)
      let texts = (JSONTreeWriter.varied(target, using: &random), JSONTreeWriter.varied(patch, using: &random))
      let result = Array(merge(texts.1, into: texts.0).utf8)
      let expected = Array(JSONTreeWriter.plain(target.merged(with: patch)).utf8)
      try result.withUnsafeBytes { try JSONScanner.validate($0) }
      let isSame = result.withUnsafeBytes { result in expected.withUnsafeBytes { JSONEquality.same(result, $0) } }
      #expect(isSame, "\(texts.0) patched by \(texts.1)")
    }
  }

  @Test("a patch of 100,000 members on a document of 100,000 members is applied")
  func large() {
    let target = "{" + (0..<100_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
    let patch = "{" + (0..<100_000).map { "\"k\($0)\":\($0 % 2 == 0 ? "null" : "0")" }.joined(separator: ",") + "}"
    let result = "{" + (0..<50_000).map { "\"k\(2 * $0 + 1)\":0" }.joined(separator: ",") + "}"
    #expect(merge(patch, into: target) == result)
  }

  @Test("the result nests no deeper than the texts; new members do not multiply a long run of white space")
  func bounded() throws {
    func nested(_ inner: String) -> String {
      String(repeating: #"{"a":"#, count: 127) + inner + String(repeating: "}", count: 127)
    }
    let deep = Array(merge(nested(#"{"b":1}"#), into: nested(#"{"a":1}"#)).utf8)
    try deep.withUnsafeBytes { try JSONScanner.validate($0) }
    #expect(String(decoding: deep, as: UTF8.self) == nested(#"{"a":1,"b":1}"#))

    let target = "{" + String(repeating: " ", count: 10_000) + "\"a\":1}"
    let patch = "{" + (0..<1_000).map { "\"k\($0)\":0" }.joined(separator: ",") + "}"
    #expect(merge(patch, into: target).utf8.count == target.utf8.count + patch.utf8.count - 1)
  }

  private func merge(_ patch: String, into target: String) -> String {
    let result = Array(patch.utf8).withUnsafeBytes { patch in
      Array(target.utf8).withUnsafeBytes { MergePatch.apply(patch, to: $0) }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

extension JSONTree {
  /// The function MergePatch of RFC 7396, section 2, word for word.
  fileprivate func merged(with patch: JSONTree) -> JSONTree {
    guard case .object(let changes) = patch else { return patch }
    var members: [(key: [UInt16], value: JSONTree)] = []
    if case .object(let own) = self { members = own }
    for (key, value) in changes {
      let index = members.firstIndex { $0.key == key }
      if case .null = value {
        if let index { members.remove(at: index) }
      } else if let index {
        members[index].value = members[index].value.merged(with: value)
      } else {
        members.append((key, JSONTree.null.merged(with: value)))
      }
    }
    return .object(members)
  }
}
