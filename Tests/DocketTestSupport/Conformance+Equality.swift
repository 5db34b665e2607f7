import DocketStore
import NIOCore

extension RepositoryConformance {
  /// JSON texts in classes: within one all are the same value, and no two classes share one.
  static let valueClasses: [[String]] = [
    ["1", "1.0", "1e0", "10e-1", "0.1E+1", " 1 "], ["-1", "-1.00"], ["0", "-0", "0.0", "0e5"], ["\"1\""],
    ["true"], ["false"], ["null", "\nnull"], ["[]", "[ ]"], ["{}", "{ }"], ["\"\""], ["\" \""],
    ["123456789012345678901234567890", "123456789012345678901234567890.0"], ["123456789012345678901234567891"],
    ["9007199254740993"], ["9007199254740992", "9007199254740992.000"], ["9223372036854775808"],
    ["9223372036854775807"], ["0.1", "1e-1", "0.10"], ["0.1000000000000000055511151231257827021181583404541015625"],
    ["1e400", "10E399"], ["1e401"], ["-1e400"], ["1e-400"],
    ["\"a\"", "\"\\u0061\""], ["\"A\""], ["\"a\\u0000\""], ["\"a\\u0000b\"", "\"\\u0061\\u0000b\""],
    ["\"a\\u0000c\""], ["\"\\u0000\""], ["\"caf\u{E9}\"", "\"caf\\u00e9\"", "\"caf\\u00E9\""], ["\"cafe\u{301}\""],
    ["\"\u{1F600}\"", "\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\""], ["\"/\"", "\"\\/\""], ["\"\\n\"", "\"\\u000a\""],
    ["[1,2]", "[1.0, 2]"], ["[2,1]"], ["[1,2,3]"], ["[[1,2]]"], ["[\"1\",2]"],
    ["{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "{ \"\\u0061\" : 1.0 , \"b\" : 2 }", "{\"a\":9,\"b\":2,\"a\":1}"],
    ["{\"a\":2,\"b\":1}"], ["{\"a\":1}"], ["{\"a\":1,\"b\":2,\"c\":null}"], ["{\"a\":{\"b\":[1,{\"c\":0}]}}"],
    ["{\"caf\u{E9}\":1}"], ["{\"cafe\u{301}\":1}"], ["{\"a\\u0000\":1}"],
  ]

  static let equalityChecks: [Check] = [
    Check("the first equal document is found by value, not by text") { repository in
      let driver = try SessionDriver(repository)
      let id: (Int) -> String = { "\(1000 + $0)" }
      _ = try await driver.writeAll(valueClasses.enumerated().map { .put("/v/", id($0), $1[0]) })
      for (index, texts) in valueClasses.enumerated() {
        for stored in texts {
          for wanted in texts {
            let results = try await driver.writeAll([
              .put("/v/", id(index), stored), .replaceFirst(in: "/v/", wanted, with: "\"replaced\""),
              .deleteFirst(in: "/v/", "\"replaced\""), .put("/v/", id(index), stored),
              .deleteFirst(in: "/v/", wanted), .deleteFirst(in: "/v/", wanted), .put("/v/", id(index), texts[0]),
            ])
            let path = DocumentPath("/v/", id(index))
            let what = "\(wanted) among others and \(stored)"
            try expectEqual(try results[1].get().path, path, "replacing \(what)")
            try expectEqual(try results[2].get().path, path, "deleting the replacement of \(what)")
            try expectEqual(try results[4].get().path, path, "deleting \(what)")
            try expectEqual(results[5], .success(.notFound), "deleting \(what) again")
          }
        }
      }
      let expected = valueClasses.map { ByteBuffer(string: $0[0]) }
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/v/")).map(\.data), expected)
    },
    Check("of equal documents the first in the order of ids is taken, however each is written") { repository in
      let driver = try SessionDriver(repository)
      for texts in valueClasses {
        let forms = (0..<6).map { texts[$0 % texts.count] }
        let ids = ["a", "b", "c", "d", "e", "f"]
        let puts = zip(ids, forms).map { Write.put("/v/", $0, $1) }
        _ = try await driver.writeAll(Array(puts.reversed()))
        for id in ids {
          let wanted = texts.last ?? ""
          let outcome = try await driver.write(.deleteFirst(in: "/v/", wanted))
          try expectEqual(outcome.path, DocumentPath("/v/", id), "deleting \(wanted) of \(forms)")
        }
        try expectEqual(try await driver.write(.deleteFirst(in: "/v/", texts[0])), .notFound)
      }
    },
    Check("a replaced first document keeps its id, its place and its time of creation") { repository in
      let driver = try SessionDriver(repository)
      let results = try await driver.writeAll(["\"a\"", "\"b\"", "\"a\""].map { .create(in: "/item/", $0) })
      let paths = try results.compactMap { try $0.get().path }
      let before = try await driver.document(at: paths[0])
      let outcome = try await driver.write(.replaceFirst(in: "/item/", "\"a\"", with: " \"c\" "))
      guard case .replaced(paths[0], let revision) = outcome else {
        throw Failure(description: "replaceFirst answered \(outcome)")
      }
      let items = try await driver.page(CollectionPath(unchecked: "/item/"))
      try expectEqual(items.map(\.path), paths)
      try expectEqual(items.map { String(buffer: $0.data) }, [" \"c\" ", "\"b\"", "\"a\""])
      try expectEqual(items[0].revision, revision)
      try expectEqual(items[0].created, before?.created)
    },
    Check("equal documents of other collections are left alone") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll([.put("/v/", "2", "1"), .put("/v/a/", "1", "1"), .put("/u/", "1", "1")])
      try expectEqual(try await driver.write(.deleteFirst(in: "/v/", "1")).path, DocumentPath("/v/", "2"))
      try expectEqual(try await driver.write(.deleteFirst(in: "/v/", "1")), .notFound)
      try expect(try await driver.document(at: DocumentPath("/v/a/", "1")) != nil, "/v/a/1 is gone")
      try expect(try await driver.document(at: DocumentPath("/u/", "1")) != nil, "/u/1 is gone")
    },
  ]
}
