import DocketJSON
import NIOCore
import Testing

@Suite("JSON Patches")
struct JSONPatchTests {
  @Test(
    "each operation does what RFC 6902 says, and leaves the layout as it was",
    arguments: [
      ("add a member", #"{"a": 1}"#, #"[{"op":"add","path":"/b","value":[ 2 ]}]"#, #"{"a": 1,"b": [ 2 ]}"#),
      ("add over a member", #"{"a": 1, "b": 2}"#, #"[{"op":"add","path":"/a","value":null}]"#, #"{"a": null, "b": 2}"#),
      ("add an element", "[1, 3]", #"[{"op":"add","path":"/1","value":2}]"#, "[1, 2, 3]"),
      ("append by -", "[1,2]", #"[{"op":"add","path":"/-","value":3}]"#, "[1,2,3]"),
      ("append by the count", "[1,2]", #"[{"op":"add","path":"/2","value":3}]"#, "[1,2,3]"),
      ("add into an empty array", #"{"a":[ ]}"#, #"[{"op":"add","path":"/a/0","value":1}]"#, #"{"a":[1]}"#),
      ("add in place of the root", #"{"a":1}"#, #"[{"op":"add","path":"","value": 7 }]"#, "7"),
      ("remove a member", #"{ "a": 1, "b": 2 }"#, #"[{"op":"remove","path":"/a"}]"#, #"{ "b": 2 }"#),
      ("remove the last one", #"{ "a": 1 }"#, #"[{"op":"remove","path":"/a"}]"#, "{}"),
      ("remove an element", "[1, 2, 3]", #"[{"op":"remove","path":"/1"}]"#, "[1, 3]"),
      ("replace", #"{"a":{"b":1.50}}"#, #"[{"op":"replace","path":"/a/b","value":1e2}]"#, #"{"a":{"b":1e2}}"#),
      ("replace the root", "3", #"[{"op":"replace","path":"","value":{}}]"#, "{}"),
      ("move", #"{"a":{"x": 1},"b":2}"#, #"[{"op":"move","from":"/a","path":"/c"}]"#, #"{"b":2,"c":{"x": 1}}"#),
      ("move within an array", "[0,1,2,3]", #"[{"op":"move","from":"/0","path":"/2"}]"#, "[1,2,0,3]"),
      ("move to itself", #"{"a":1}"#, #"[{"op":"move","from":"/a","path":"/a"}]"#, #"{"a":1}"#),
      ("move to the root", #"{"a":[1]}"#, #"[{"op":"move","from":"/a","path":""}]"#, "[1]"),
      ("copy", #"{"a":[1]}"#, #"[{"op":"copy","from":"/a","path":"/b"}]"#, #"{"a":[1],"b":[1]}"#),
      ("copy the root into itself", #"{"a":1}"#, #"[{"op":"copy","from":"","path":"/b"}]"#, #"{"a":1,"b":{"a":1}}"#),
      ("test numbers by value", #"{"a":100}"#, #"[{"op":"test","path":"/a","value":1e2}]"#, #"{"a":100}"#),
      (
        "test objects in any order", #"{"a":{"x":1,"y":[2]}}"#,
        #"[{"op":"test","path":"/a","value":{"y":[2.0],"x":1}}]"#, #"{"a":{"x":1,"y":[2]}}"#
      ),
      ("no operation", #" {"a" : 1} "#, "[]", #"{"a" : 1}"#),
      (
        "escapes in pointers", #"{"a/b":1,"m~n":2}"#,
        #"[{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"}]"#, "{}"
      ),
      ("~01 is ~1", #"{"~1":1}"#, #"[{"op":"remove","path":"/~01"}]"#, "{}"),
      ("escapes in JSON", #"{"\u00e9":1}"#, #"[{"op":"replace","path":"/é","value":2}]"#, #"{"\u00e9":2}"#),
      ("an empty name", #"{"":{"":1}}"#, #"[{"op":"replace","path":"//","value":2}]"#, #"{"":{"":2}}"#),
      ("an index as a name", #"{"0":1}"#, #"[{"op":"replace","path":"/0","value":2}]"#, #"{"0":2}"#),
      ("of equal keys the last is meant", #"{"a":1,"a":2}"#, #"[{"op":"replace","path":"/a","value":3}]"#, #"{"a":3}"#),
      (
        "what is only looked at is not written anew", #"{"a":1 ,"b":{ "c":1},"a":2}"#,
        #"[{"op":"test","path":"/b/c","value":1},{"op":"test","path":"/a","value":2}]"#, #"{"a":1 ,"b":{ "c":1},"a":2}"#
      ),
      (
        "nor what is copied", #"{"b":{ "c":[1 ,2]}}"#,
        #"[{"op":"test","path":"/b/c/0","value":1},{"op":"copy","from":"/b","path":"/d"}]"#,
        #"{"b":{ "c":[1 ,2]},"d":{ "c":[1 ,2]}}"#
      ),
      ("of equal keys none is left", #"{"a":1,"a":2}"#, #"[{"op":"remove","path":"/a"}]"#, "{}"),
      ("of equal members of an operation the last counts", "[1]", #"[{"op":"spam","op":"remove","path":"/0"}]"#, "[]"),
      ("members nobody knows", "[1]", #"[{"op":"remove","path":"/0","value":[],"why":1}]"#, "[]"),
      (
        "lines", "{\n  \"a\": [\n    1\n  ]\n}",
        #"[{"op":"add","path":"/a/-","value":2},{"op":"add","path":"/b","value":3}]"#,
        "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": 3\n}"
      ),
      (
        "one after the other", "{}",
        #"[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":[]},{"op":"add","path":"/a/b/-","value":1},{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/a/b/0","value":0},{"op":"test","path":"/c","value":{"b":[1]}},{"op":"test","path":"/a","value":{"b":[0,1]}}]"#,
        #"{"a":{"b":[0,1]},"c":{"b":[1]}}"#
      ),
    ])
  func applies(what: String, target: String, patch: String, result: String) throws {
    #expect(try apply(patch, to: target) == result, "\(what)")
  }

  @Test(
    "what does not fit is refused with the operation and the reason",
    arguments: [
      (#"{"op":"add"}"#, nil, .notAnArray), ("[1]", 0, .notAnObject), ("[{}]", 0, .missing("op")),
      (#"[{"op":"add","value":1}]"#, 0, .missing("path")), (#"[{"op":"add","path":"/a"}]"#, 0, .missing("value")),
      (#"[{"op":"test","path":""}]"#, 0, .missing("value")), (#"[{"op":"move","path":"/a"}]"#, 0, .missing("from")),
      (#"[{"op":"copy","path":"/a","from":1}]"#, 0, .notAString("from")),
      (#"[{"op":"add","path":null,"value":1}]"#, 0, .notAString("path")),
      (#"[{"op":"test","path":"","value":{"a":[1,2]}},{"op":"Add","path":"/a","value":1}]"#, 1, .unknownOperation),
      (#"[{"op":"remove","path":"/\ud800"}]"#, 0, .notText("path")),
      (#"[{"op":"remove","path":"a"}]"#, 0, .notAPointer("path")),
      (#"[{"op":"remove","path":"/a~2"}]"#, 0, .notAPointer("path")),
      (#"[{"op":"remove","path":"/a~"}]"#, 0, .notAPointer("path")),
      (#"[{"op":"copy","from":"\#(longest)","path":"/b"}]"#, 0, .nothingThere(pointer(longest))),
      (#"[{"op":"copy","from":"\#(longest)/","path":"/b"}]"#, 0, .tooManySteps("from")),
      (#"[{"op":"remove","path":"\#(longest)/b"}]"#, 0, .tooManySteps("path")),
      (#"[{"op":"move","from":"/a","path":"/a/0"}]"#, 0, .movesIntoItself),
      (#"[{"op":"move","from":"","path":"/a"}]"#, 0, .movesIntoItself),
      (#"[{"op":"remove","path":""}]"#, 0, .removesRoot),
      (#"[{"op":"remove","path":"/b"}]"#, 0, .nothingThere(pointer("/b"))),
      (#"[{"op":"replace","path":"/b","value":1}]"#, 0, .nothingThere(pointer("/b"))),
      (#"[{"op":"add","path":"/b/c","value":1}]"#, 0, .nothingThere(pointer("/b/c"))),
      (#"[{"op":"remove","path":"/a/-"}]"#, 0, .nothingThere(pointer("/a/-"))),
      (#"[{"op":"add","path":"/a/0/x","value":1}]"#, 0, .notAContainer(pointer("/a/0/x"))),
      (#"[{"op":"add","path":"/a/01","value":1}]"#, 0, .notAnIndex(pointer("/a/01"))),
      (#"[{"op":"add","path":"/a/-1","value":1}]"#, 0, .notAnIndex(pointer("/a/-1"))),
      (#"[{"op":"add","path":"/a/1e0","value":1}]"#, 0, .notAnIndex(pointer("/a/1e0"))),
      (
        #"[{"op":"add","path":"/a/99999999999999999999","value":1}]"#, 0,
        .notAnIndex(pointer("/a/99999999999999999999"))
      ),
      (#"[{"op":"add","path":"/a/3","value":1}]"#, 0, .outOfRange(pointer("/a/3"))),
      (#"[{"op":"replace","path":"/a/2","value":1}]"#, 0, .outOfRange(pointer("/a/2"))),
      (
        #"[{"op":"add","path":"/b","value":1},{"op":"test","path":"/a/1","value":"2"}]"#, 1,
        .testFailed(pointer("/a/1"))
      ),
      (#"[{"op":"test","path":"","value":{"a":[1,2],"b":1}}]"#, 0, .testFailed(pointer(""))),
      (#"[{"op":"remove","path":"/a/0"},{"op":"test","path":"","value":{"a":[1]}}]"#, 1, .testFailed(pointer(""))),
    ] as [(String, Int?, JSONPatchError.Reason)])
  func refuses(patch: String, operation: Int?, reason: JSONPatchError.Reason) {
    #expect(throws: JSONPatchError(reason, operation: operation)) { try apply(patch, to: #"{"a":[1,2]}"#) }
  }

  @Test("an error repeats no more of a pointer than shows which one is meant")
  func longPointer() throws {
    let long = "/" + String(repeating: "b", count: 300_000)
    let error = #expect(throws: JSONPatchError.self) {
      try apply(#"[{"op":"test","path":"/a","value":1},{"op":"remove","path":"\#(long)"}]"#, to: #"{"a":1}"#)
    }
    let description = try #require(error).description
    #expect(description.contains("'\(long.prefix(200))…'") && description.utf8.count < 400)
  }

  @Test("a pointer has 256 steps at most")
  func manySteps() {
    func reason(_ count: Int) -> JSONPatchError.Reason? {
      let path = String(repeating: "/a", count: count)
      let error = #expect(throws: JSONPatchError.self) { try apply(#"[{"op":"remove","path":"\#(path)"}]"#, to: "{}") }
      return error?.reason
    }
    #expect(reason(257) == .tooManySteps("path"))
    #expect(reason(256) != .tooManySteps("path"))
  }

  @Test("random patches do to a text what they do to a tree")
  func reference() throws {
    var random = SeededGenerator(for: "JSON patch")
    var applied = 0
    for _ in 0..<5_000 {
      let target = JSONTree.randomObject(depth: 4, using: &random)
      let operations = (0..<Int.random(in: 1...3, using: &random)).map { _ in TreeOperation.random(using: &random) }
      let patch = "[" + operations.map { $0.text(using: &random) }.joined(separator: ",") + "]"
      let text = JSONTreeWriter.varied(target, using: &random)
      let expected = operations.reduce(JSONTree?.some(target)) { tree, operation in tree.flatMap(operation.applied) }
      let result = try? apply(patch, to: text)
      guard let expected, let result else {
        #expect((expected == nil) == (result == nil), "\(patch) on \(text) gave \(result ?? "an error")")
        continue
      }
      applied += 1
      try Array(result.utf8).withUnsafeBytes { try JSONScanner.validate($0) }
      #expect(isSame(result, JSONTreeWriter.plain(expected)), "\(patch) on \(text) gave \(result)")
    }
    #expect(applied > 200, "most patches must not be ones that fail")
  }

  @Test("a patch cannot grow a document without bounds, nest it without bounds, or work without end")
  func bounded() throws {
    func refusal(_ patch: String, _ target: String) -> JSONPatchError.Reason? {
      do {
        _ = try apply(patch, to: target, maximumBytes: 1 << 20)
        return nil
      } catch { return (error as? JSONPatchError)?.reason }
    }
    func many(_ count: Int, _ operation: String) -> String {
      "[" + Array(repeating: operation, count: count).joined(separator: ",") + "]"
    }
    let doubling = many(40, #"{"op":"copy","from":"","path":"/-"}"#)
    #expect(refusal(doubling, "[1]") == .tooLarge)
    let nesting = many(200, #"{"op":"add","path":"","value":[]}"#)
    #expect(refusal(nesting, "[1]") == nil)
    let wrapping =
      "["
      + (0..<200).map { _ in
        #"{"op":"move","from":"/a","path":""},{"op":"copy","from":"","path":"/a"}"#
      }.joined(separator: ",") + "]"
    #expect(refusal(wrapping, #"{"a":{"a":{}}}"#) != .tooMuchWork)
    let deep =
      "["
      + (0..<140).map {
        #"{"op":"add","path":"\#(String(repeating: "/a", count: $0 + 1))","value":{}}"#
      }.joined(separator: ",") + #",{"op":"copy","from":"/a","path":"\#(String(repeating: "/a", count: 100))/b"}]"#
    #expect(refusal(deep, "{}") == .tooDeep)
    let long = "[" + Array(repeating: "0", count: 500_000).joined(separator: ",") + "]"
    #expect(refusal(many(20_000, #"{"op":"add","path":"/0","value":0}"#), long) == .tooMuchWork)
    #expect(refusal(many(1_000, #"{"op":"add","path":"/-","value":0}"#), long) == nil)
    // Each operation opens the value that the one before has put at the end, as deep as values may be.
    let deeper = (0..<3).map { level in
      let value = String(repeating: #"{"":"#, count: 120) + "0" + String(repeating: "}", count: 120)
      return #"{"op":"add","path":"\#(String(repeating: "/", count: 120 * level + 1))","value":\#(value)}"#
    }
    #expect(refusal("[" + deeper.joined(separator: ",") + "]", "{}") == .tooDeep)
    let wide = "[0," + String(repeating: " ", count: 250) + "0" + String(repeating: ",0", count: 100_000) + "]"
    let widened = try apply(#"[{"op":"remove","path":"/0"}]"#, to: wide)
    #expect(widened.utf8.count <= 2 * wide.utf8.count)
    let spaced = "{" + String(repeating: " ", count: 10_000) + "\"a\":1}"
    let grown = try apply(
      "[" + (0..<1_000).map { #"{"op":"add","path":"/\#($0)","value":0}"# }.joined(separator: ",") + "]", to: spaced)
    #expect(grown.utf8.count < 20_000)
  }

  private func apply(_ patch: String, to target: String, maximumBytes: Int = 1 << 20) throws -> String {
    let patch = try JSONPatch(ByteBuffer(string: patch))
    let result = try Array(target.utf8).withUnsafeBytes { target throws(JSONPatchError) in
      try patch.apply(to: target, maximumBytes: maximumBytes)
    }
    return String(decoding: result, as: UTF8.self)
  }

  private func isSame(_ a: String, _ b: String) -> Bool {
    Array(a.utf8).withUnsafeBytes { a in Array(b.utf8).withUnsafeBytes { JSONEquality.same(a, $0) } }
  }
}

/// Of as many steps as a pointer may have.
private let longest = String(repeating: "/b", count: 256)

private func pointer(_ text: String) -> JSONPointer {
  guard let pointer = JSONPointer(text) else { preconditionFailure("\(text) is a pointer") }
  return pointer
}
