import DocketJSON
import DocketStore
import NIOCore

/// Writes as a fuzzer makes them: few paths and few values, so that they meet each other often.
struct RandomWrites {
  var generator: SeededGenerator
  private let collections = ["/a/", "/b/", "/a/x/", "/A/"]
  private let ids = ["1", "10", "2", "z", "Z", "\u{E9}", "e\u{301}", "a b", "~"]
  private let values = [
    "1", "1.0", "10e-1", "2", "-0", "0", "\"x\"", "\"\\u0078\"", "\"x\\u0000\"", "null", "true", "[]", "[1]", "[1.0]",
    "{}", "{\"a\":1,\"b\":{\"c\":2}}", "{ \"b\":{\"c\":2.0}, \"a\":1 }", "{\"a\":1e400}", "1e400", "10e399",
  ]
  private let patches = [
    "{\"a\":2}", "{\"a\":null}", "{\"b\":{\"c\":null,\"d\":[1]}}", "{}", "3", "{\"n\":{\"m\":{}}}", "[2]", "{\"b\":7}",
  ]

  private let operations = [
    #"{"op":"add","path":"/a","value":3}"#, #"{"op":"remove","path":"/a"}"#, #"{"op":"add","path":"/0","value":0}"#,
    #"{"op":"copy","from":"","path":"/b"}"#, #"{"op":"test","path":"/a","value":1.0}"#,
    #"{"op":"move","from":"/b","path":"/a"}"#, #"{"op":"replace","path":"/b/c","value":[]}"#,
    #"{"op":"add","path":"","value":{"a":1}}"#,
  ]

  init(generator: SeededGenerator) {
    self.generator = generator
  }

  mutating func element<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &generator)]
  }

  mutating func collection() -> CollectionPath { CollectionPath(unchecked: element(collections)) }

  /// A path, now and then of a document that was created without one.
  mutating func path(created: [DocumentPath]) -> DocumentPath {
    if !created.isEmpty, Int.random(in: 0..<4, using: &generator) == 0 { return element(created) }
    return DocumentPath(collection: collection(), id: element(ids))
  }

  mutating func id() -> String { element(ids) }

  private mutating func jsonPatch() -> JSONPatch {
    let chosen = (0..<Int.random(in: 1...2, using: &generator)).map { _ in element(operations) }
    let text = "[" + chosen.joined(separator: ",") + "]"
    guard let patch = try? JSONPatch(ByteBuffer(string: text)) else { preconditionFailure("\(text) is a patch") }
    return patch
  }

  /// A write that makes no new id.
  mutating func writeToPath() -> Write {
    while true {
      let write = write(created: [])
      if case .create = write.action { continue }
      return write
    }
  }

  mutating func write(created: [DocumentPath]) -> Write {
    let value = ByteBuffer(string: element(values))
    switch Int.random(in: 0..<11, using: &generator) {
    case 0: return .create(in: collection(), data: value)
    case 1...3: return .put(path(created: created), data: value)
    case 4...5: return .mergePatch(path(created: created), patch: ByteBuffer(string: element(patches)))
    case 6...7: return .delete(path(created: created))
    case 10: return .jsonPatch(path(created: created), jsonPatch())
    case 8: return .replaceFirst(in: collection(), equalTo: value, with: ByteBuffer(string: element(values)))
    default: return .deleteFirst(in: collection(), equalTo: value)
    }
  }
}
