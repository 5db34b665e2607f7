import DocketJSON
import DocketStore
import NIOCore

extension RepositoryConformance {
  static let patchChecks: [Check] = [
    Check("a merge patch does what RFC 7396 says") { repository in
      let driver = try SessionDriver(repository)
      // Target, patch and result, from appendix A.
      let examples: [(String, String, String)] = [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
        (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
        (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
      ]
      for (target, patch, result) in examples {
        let put = try await driver.write(.put("/p/", "1", target))
        let patched = try await driver.write(.mergePatch("/p/", "1", patch))
        guard case .replaced(DocumentPath("/p/", "1"), let revision) = patched else {
          throw Failure(description: "\(patch) on \(target) answered \(patched)")
        }
        try expect(put.revision ?? revision < revision, "the revision did not rise")
        let document = try await driver.document(at: DocumentPath("/p/", "1"))
        try expectEqual(document?.revision, revision)
        let data = document?.data ?? ByteBuffer()
        try expect(same(data, ByteBuffer(string: result)), "\(patch) on \(target) gave \(String(buffer: data))")
      }
    },
    Check("a merge patch leaves the bytes of what it does not touch") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.write(.put("/p/", "1", #"{"big":1.50e1000, "s":"\u00e9\u0000", "n":1}"#))
      _ = try await driver.write(.mergePatch("/p/", "1", #"{"n":2}"#))
      let data = try await driver.document(at: DocumentPath("/p/", "1"))?.data ?? ByteBuffer()
      for kept in ["1.50e1000", #""\u00e9\u0000""#] {
        try expect(String(buffer: data).contains(kept), "\(kept) is gone from \(String(buffer: data))")
      }
    },
    Check("a JSON Patch happens as a whole, or tells which operation does not fit and changes nothing") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/p/", "1")
      let patch = try JSONPatch(
        ByteBuffer(
          string:
            #"[{"op":"test","path":"/n","value":1},{"op":"replace","path":"/n","value":2},{"op":"add","path":"/list/-","value":"x"}]"#
        ))
      try expectEqual(try await driver.write(.jsonPatch(path, patch)), .notFound)
      _ = try await driver.write(.put("/p/", "1", #"{"n": 1.0, "list": [ ]}"#))
      guard case .replaced(path, let revision) = try await driver.write(.jsonPatch(path, patch)) else {
        throw Failure(description: "the patch did not replace the document")
      }
      let results = try await driver.writeAll([.jsonPatch(path, patch), .put("/p/", "2", "1")])
      guard case .failure(.patchFailed(let error)) = results[0] else {
        throw Failure(description: "the second patch answered \(results[0])")
      }
      try expectEqual(error.operation, 0)
      try expect(try results[1].get().revision != nil, "the neighbour failed, too")
      let document = try await driver.document(at: path)
      try expectEqual(document?.revision, revision)
      try expectEqual(document.map { String(buffer: $0.data) }, #"{"n": 2, "list": ["x"]}"#)
    },
    Check("patches of one document from many sessions all take effect") { repository in
      _ = try await SessionDriver(repository).write(.put("/p/", "1", "{}"))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for session in 0..<8 {
          let driver = try SessionDriver(repository)
          group.addTask {
            for n in 0..<20 {
              _ = try await driver.write(.mergePatch("/p/", "1", "{\"k\(session)-\(n)\":\(n)}"))
            }
          }
        }
        try await group.waitForAll()
      }
      let members = (0..<8).flatMap { session in (0..<20).map { "\"k\(session)-\($0)\":\($0)" } }
      let data = try await SessionDriver(repository).document(at: DocumentPath("/p/", "1"))?.data ?? ByteBuffer()
      let expected = ByteBuffer(string: "{" + members.joined(separator: ",") + "}")
      try expect(same(data, expected), "found \(String(buffer: data))")
    },
    Check("a patch that would make a document too large is refused and changes nothing") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/p/", "1")
      let long = "\"" + String(repeating: "x", count: 600_000) + "\""
      let before = try await driver.write(.put("/p/", "1", "{\"a\":\(long)}"))
      let results = try await driver.writeAll([
        .put("/p/", "2", "1"), .mergePatch("/p/", "1", "{\"b\":\(long)}"), .put("/p/", "3", "1"),
      ])
      try expectEqual(results[1], .failure(.documentTooLarge(limit: 1_048_576)))
      try expect(try results[0].get().revision != nil && results[2].get().revision != nil, "the neighbours failed, too")
      let document = try await driver.document(at: path)
      try expectEqual(document?.revision, before.revision)
      try expectEqual(document?.data.readableBytes, 600_008)
      try expect(try await driver.document(at: DocumentPath("/p/", "3")) != nil, "the write after it is gone")
      _ = try await driver.write(.mergePatch("/p/", "1", "{\"a\":null,\"b\":\(long)}"))
      try expectEqual(try await driver.document(at: path)?.data.readableBytes, 600_008)
    },
    Check("a patch may fill a document to the limits of depth and size") { repository in
      let driver = try SessionDriver(repository)
      let deepest = String(repeating: "{\"a\":", count: 128) + "1" + String(repeating: "}", count: 128)
      let largest = "\"" + String(repeating: "x", count: 1_048_574) + "\""
      for text in [deepest, largest] {
        _ = try await driver.write(.put("/p/", "1", "{\"a\":{\"a\":0}}"))
        _ = try await driver.write(.mergePatch("/p/", "1", text))
        let data = try await driver.document(at: DocumentPath("/p/", "1"))?.data ?? ByteBuffer()
        try expect(same(data, ByteBuffer(string: text)), "the patch is not what was stored")
      }
    },
  ]

  static func same(_ a: ByteBuffer, _ b: ByteBuffer) -> Bool {
    guard a.readableBytes > 0, b.readableBytes > 0 else { return false }
    return a.withUnsafeReadableBytes { a in b.withUnsafeReadableBytes { b in JSONEquality.same(a, b) } }
  }
}
