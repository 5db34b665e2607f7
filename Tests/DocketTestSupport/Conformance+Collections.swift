import DocketStore

extension RepositoryConformance {
  static let collectionChecks: [Check] = [
    Check("the collections that hold documents are told with what they hold, and no others") { repository in
      let driver = try SessionDriver(repository)
      try expectEqual(try await driver.collections(), [])
      _ = try await driver.writeAll([
        .put("/b/", "1", "1"), .put("/b/", "2", #""é""#), .put("/b/1/c/", "1", "[]"), .put("/a/", "1", "{}"),
        .put("/B/", "1", "10"), .put("/gone/", "1", "1"), .put("/b0/", "1", "null"),
      ])
      _ = try await driver.write(.delete("/gone/", "1"))
      _ = try await driver.write(Write.put("/over/", "1", "1").on(WriteTerms(lifetime: .milliseconds(30))))
      _ = try await driver.write(Write.put("/b/", "3", "333").on(WriteTerms(lifetime: .milliseconds(30))))
      while try await driver.document(at: DocumentPath("/b/", "3")) != nil {}
      let found = try await driver.collections()
      try expectEqual(
        found.map { "\($0.collection) \($0.documents) \($0.bytes)" },
        ["/B/ 1 2", "/a/ 1 2", "/b/ 2 5", "/b/1/c/ 1 2", "/b0/ 1 4"])
      for contents in found {
        let documents = try await driver.page(contents.collection)
        try expectEqual(contents.updated.milliseconds, documents.map(\.updated.milliseconds).max() ?? 0)
      }
    },
    Check("they come in pages, and of some only to those who may read them whole") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll((0..<9).map { .put("/c\($0)/", "1", "1") } + [.put("/c1/1/d/", "1", "1")])
      func names(_ rules: [String] = ["read:/"], after: String? = nil, limit: Int = .max) async throws -> [String] {
        try await driver.collections(
          readable: AccessRules(try rules.map { try AccessRule($0) }).readable,
          after: after.map { CollectionPath(unchecked: $0) }, limit: limit
        ).map(\.collection.description)
      }
      try expectEqual(try await names(limit: 3), ["/c0/", "/c1/", "/c1/1/d/"])
      try expectEqual(try await names(after: "/c1/1/d/", limit: 2), ["/c2/", "/c3/"])
      try expectEqual(try await names(after: "/c70/"), ["/c8/"])
      try expectEqual(try await names(["read:/c1/", "read:/c7/"]), ["/c1/", "/c1/1/d/", "/c7/"])
      try expectEqual(try await names(["read:/c1/", "read:/c7/"], after: "/c1/", limit: 2), ["/c1/1/d/", "/c7/"])
      // Who may read one document of it may not count the others.
      try expectEqual(try await names(["read:/c1/1"]), ["/c1/1/d/"])
      try expectEqual(try await names(["write:/"]), [])
    },
  ]
}
