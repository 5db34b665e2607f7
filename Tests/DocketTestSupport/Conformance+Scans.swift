import DocketStore
import NIOCore

extension RepositoryConformance {
  static let scanChecks: [Check] = [
    Check("a scan goes by the bytes of the ids, and can begin behind any id") { repository in
      let driver = try SessionDriver(repository)
      let collection = CollectionPath(unchecked: "/s/")
      let ids = [
        "10", "2", "\u{E9}", "e\u{301}", "z", "Z", "a", "A", "~", "-", " ", "\u{FFFD}", "\u{1F600}", "aa", "a!", "10.",
        "日本",
      ]
      _ = try await driver.writeAll(ids.shuffled().map { .put("/s/", $0, "1") })
      let sorted = ids.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let utf8: ([String]) -> [[UInt8]] = { ids in ids.map { Array($0.utf8) } }
      try expectEqual(utf8(try await driver.page(collection).map(\.path.id)), utf8(sorted))
      for after in sorted + ["", "0", "11", "a\u{1}", "b", "\u{10FFFF}", "zzz", "\u{E9} "] {
        let rest = sorted.filter { after.utf8.lexicographicallyPrecedes($0.utf8) }
        let found = try await driver.page(collection, after: after)
        try expectEqual(utf8(found.map(\.path.id)), utf8(rest), "after \(after)")
        let three = try await driver.page(collection, after: after, limit: 3)
        try expectEqual(utf8(three.map(\.path.id)), utf8(Array(rest.prefix(3))), "three after \(after)")
      }
    },
    Check("a scan visits the documents directly in its collection and no others") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll([
        .put("/s/", "1", "1"), .put("/s/", "2", "2"), .put("/s/1/", "3", "3"), .put("/s/1/x/", "4", "4"),
        .put("/s0/", "5", "5"), .put("/S/", "6", "6"), .put("/r/", "7", "7"), .put("/%/", "8", "8"),
        .put("/s/\u{E9}/", "9", "9"),
      ])
      let expected: [(String, [String])] = [
        ("/s/", ["1", "2"]), ("/s/1/", ["3"]), ("/s/1/x/", ["4"]), ("/s0/", ["5"]), ("/S/", ["6"]), ("/none/", []),
        ("/%/", ["8"]), ("/s/\u{E9}/", ["9"]), ("/s/e\u{301}/", []), ("/s/2/", []),
      ]
      for (collection, ids) in expected {
        let documents = try await driver.page(CollectionPath(unchecked: collection))
        try expectEqual(documents.map(\.path.id), ids, collection)
        for document in documents { try expectEqual(document.path.collection.description, collection) }
      }
    },
    Check("a scan tells of a document what a read tells") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll((0..<20).map { .put("/s/", "\($0)", "[\($0)]") })
      _ = try await driver.writeAll((0..<10).map { .put("/s/", "\($0)", "{\"n\":\($0)}") })
      for document in try await driver.page(CollectionPath(unchecked: "/s/")) {
        try expectEqual(document, try await driver.document(at: document.path))
      }
    },
    Check("pages of a large collection meet every document once") { repository in
      let driver = try SessionDriver(repository)
      let collection = CollectionPath(unchecked: "/many/")
      for batch in 0..<5 {
        _ = try await driver.writeAll((0..<600).map { .put("/many/", "\(batch * 600 + $0)", "\($0)") })
      }
      let whole = try await driver.page(collection).map(\.path.id)
      try expectEqual(whole, (0..<3000).map(String.init).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
      var paged: [String] = []
      while true {
        let page = try await driver.page(collection, after: paged.last, limit: 701)
        if page.isEmpty { break }
        paged += page.map(\.path.id)
      }
      try expectEqual(paged, whole)
    },
    Check("pages neither skip nor repeat what stays while other documents come and go") { repository in
      let driver = try SessionDriver(repository)
      let collection = CollectionPath(unchecked: "/p/")
      let staying = (100..<200).map { "\($0)" }
      _ = try await driver.writeAll(staying.map { .put("/p/", $0, "0") })
      var met: [String] = []
      var after: String?
      while true {
        let page = try await driver.page(collection, after: after, limit: 7).map(\.path.id)
        guard let last = page.last else { break }
        met += page
        after = last
        _ = try await driver.writeAll([
          .put("/p/", last + "!", "0"), .put("/p/", "1000000", "0"), .put("/p/", last + "~", "0"),
        ])
        _ = try await driver.writeAll([.delete("/p/", last + "!"), .delete("/p/", page[0] + "~")])
      }
      try expectEqual(met.filter { $0.utf8.count == 3 }, staying)
      try expectEqual(Set(met).count, met.count, "documents met twice")
    },
    Check("a scan carries its own state, and ends where the visitor says stop") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.writeAll((0..<9).map { .put("/s/", "\($0)", "\($0)") })
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/s/"), limit: 1).map(\.path.id), ["0"])
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/s/"), after: "6", limit: 2).count, 2)
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/s/"), after: "8").count, 0)
    },
  ]
}
