import DocketStore
import NIOCore

extension RepositoryConformance {
  private static let users = CollectionPath(unchecked: "/users/")

  private static func unique(_ fields: [String]...) -> CollectionSettings {
    CollectionSettings(unique: fields.map { CollectionIndex($0.map(CollectionIndex.Key.init(name:))) })
  }

  private static func duplicate(of id: String, _ fields: [String]) -> Result<WriteOutcome, StoreError> {
    .failure(.duplicate(of: DocumentPath(collection: users, id: id), fields: fields))
  }

  static let ruleChecks: [Check] = [
    Check("where a condition is required, what names a document needs one, and what makes a new one does not") {
      repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.change(users, to: CollectionSettings(requiresCondition: true))
      let refused = [Write.put("/users/", "1", "1"), .mergePatch("/users/", "1", "{}"), .delete("/users/", "1")]
      for write in refused + refused.map({ $0.on(WriteTerms(isDryRun: true)) }) {
        let answer = try await driver.writeAll([write])[0]
        try expectEqual(answer, .failure(.conditionRequired(users)), "\(write)")
      }
      let made = try await driver.write(refused[0].on(WriteTerms(condition: .absent))).revision ?? Revision(0)
      let taken = [
        Write.create(in: "/users/", "1"), .put("/users/", "1", "2").on(WriteTerms(condition: .oneOf([made]))),
        .delete("/users/", "1").on(WriteTerms(condition: .exists)), .put("/other/", "1", "1"),
      ]
      for write in taken { try expect(try await driver.write(write).revision != nil, "\(write)") }
      _ = try await driver.change(users, to: nil)
      try expect(try await driver.write(.put("/users/", "1", "1")).revision != nil, "nothing is set any more")
    },
    Check("documents live as long as is set, unless their write says otherwise") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.write(.put("/users/", "old", "1"))
      _ = try await driver.change(users, to: CollectionSettings(lifetimeSeconds: 3_600))
      _ = try await driver.writeAll([
        .put("/users/", "own", "1").on(WriteTerms(lifetime: .milliseconds(86_400_000))), .put("/users/", "set", "1"),
        .create(in: "/users/", "1"), .put("/other/", "1", "1"),
      ])
      var hours: [String: Int64] = [:]
      for document in try await driver.page(users) {
        let life = document.expires.map { $0.milliseconds - document.updated.milliseconds }
        hours[document.path.id.count > 3 ? "new" : document.path.id] = life.map { ($0 + 60_000) / 3_600_000 }
      }
      try expectEqual(hours, ["own": 24, "set": 1, "new": 1], "hours to live")
      _ = try await driver.write(.mergePatch("/users/", "old", "2"))
      let renewed = try await driver.document(at: DocumentPath("/users/", "old"))
      try expect(renewed?.expires != nil, "a write renews the life")
      try expect(try await driver.document(at: DocumentPath("/other/", "1"))?.expires == nil, "another collection")
    },
    Check("what is unique is refused to a second document, and to nobody else") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.change(users, to: unique(["mail"], ["a.n", "b"]))
      _ = try await driver.write(.put("/users/", "1", #"{"mail": "x", "a": {"n": 1}, "b": true}"#))
      let refused: [(Write, [String])] = [
        (.put("/users/", "2", #"{"mail": "x"}"#), ["mail"]), (.create(in: "/users/", #"{"mail":"x"}"#), ["mail"]),
        (.put("/users/", "2", #"{"a": {"n": 1.0}, "b": true}"#), ["a.n", "b"]),
        (.put("/users/", "2", #"{"mail": "\u0078"}"#).on(WriteTerms(isDryRun: true)), ["mail"]),
      ]
      for (write, fields) in refused {
        try expectEqual(try await driver.writeAll([write])[0], duplicate(of: "1", fields), "\(write)")
      }
      let taken = [
        #"{"mail": "X"}"#, #"{"mail": 1, "a": {"n": "1"}, "b": true}"#, #"{"mail": "1"}"#, #"{"mail": true}"#,
        #"{"mail": null, "a": {"n": 1}}"#, #"{"mail": null, "a": {"n": 1}}"#, "{}", "3", #"{"mail": ["x"]}"#,
        #"{"mail": ["x"]}"#, #"{"mail": "x\u0000"}"#, #"{"mail": "x\u0000y"}"#, #"{"mail": 12345678901234567890}"#,
        #"{"mail": 12345678901234567891}"#, #"{"a": {"n": 1}, "b": false}"#,
      ]
      for (number, data) in taken.enumerated() {
        let write = Write.put(DocumentPath("/users/", "t\(number)"), data: ByteBuffer(string: data))
        try expect(try await driver.write(write).revision != nil, data)
      }
      let again = try await driver.writeAll([.put("/users/", "u", #"{"mail": "x\u0000y"}"#)])[0]
      try expectEqual(again, duplicate(of: "t11", ["mail"]), "a string with NUL")
      try expect(
        try await driver.write(.put("/users/", "1", #"{"mail": "x", "c": 1}"#)).revision != nil, "its own")
      try expect(try await driver.write(.put("/other/", "1", #"{"mail": "x"}"#)).revision != nil, "elsewhere")
      let patched = try await driver.writeAll([.mergePatch("/users/", "t0", #"{"mail": "x"}"#)])[0]
      try expectEqual(patched, duplicate(of: "1", ["mail"]), "a patch")
      let freed = try await driver.writeAll([
        .mergePatch("/users/", "1", #"{"mail": "y"}"#), .put("/users/", "2", #"{"mail": "x"}"#),
        .put("/users/", "3", #"{"mail": "y"}"#), .delete("/users/", "1"), .put("/users/", "3", #"{"mail": "y"}"#),
      ])
      try expectEqual(freed[2], duplicate(of: "1", ["mail"]), "a value taken in the same tick")
      try expect(try freed[1].get().revision != nil && freed[4].get().revision != nil, "values that were let go")
    },
    Check("a document that has expired holds nothing unique: it is ended first") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.change(users, to: unique(["mail"]))
      let first = Write.put("/users/", "1", #"{"mail": "x"}"#)
      let before = try await driver.write(first.on(WriteTerms(lifetime: .milliseconds(30)))).revision ?? Revision(0)
      while try await driver.document(at: DocumentPath("/users/", "1")) != nil {}
      let after = try await driver.write(.put("/users/", "2", #"{"mail": "x"}"#)).revision ?? Revision(0)
      try expectEqual(after.rawValue, before.rawValue + 2, "the end is a change between")
      try expectEqual(try await driver.writeAll([first])[0], duplicate(of: "2", ["mail"]))
    },
    Check("what is not unique cannot become so, and nothing of such settings stays") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll([
        .put("/users/", "1", #"{"mail": "x", "n": 1}"#), .put("/users/", "2", #"{"mail": "x", "n": 2}"#),
      ])
      var settings = unique(["n"], ["mail"])
      settings.requiresCondition = true
      do {
        _ = try await driver.change(users, to: settings)
        throw Failure(description: "they became unique")
      } catch let error as StoreError {
        try expectEqual(error, .notUnique(users, fields: ["mail"], first: "1", second: "2"))
      }
      try expect(try await driver.write(.put("/users/", "3", #"{"mail": "x", "n": 1}"#)).revision != nil, "a write")
      _ = try await driver.writeAll([.delete("/users/", "1"), .delete("/users/", "3")])
      _ = try await driver.change(users, to: unique(["n"], ["mail"]))
      let refused = try await driver.writeAll([.put("/users/", "3", #"{"mail": "x"}"#)])[0]
      try expectEqual(refused, duplicate(of: "2", ["mail"]))
    },
  ]
}
