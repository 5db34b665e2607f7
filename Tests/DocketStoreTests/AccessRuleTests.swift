import Testing

@testable import DocketStore

@Suite("Rules of access")
struct AccessRuleTests {
  @Test(
    "a prefix ends at a segment",
    arguments: [
      ("/notes/", "/notes/", true), ("/notes/", "/notes/42", true), ("/notes/", "/notes/42/comments/", true),
      ("/notes/", "/notesbook/", false), ("/notes/", "/notesbook/1", false), ("/notes/", "/note/", false),
      ("/notes/", "/other/notes/", false), ("/notes", "/notes/42", true), ("/notes", "/notesbook/1", false),
      ("/users/7", "/users/7", true), ("/users/7", "/users/7/orders/", true), ("/users/7", "/users/7/orders/1", true),
      ("/users/7", "/users/71", false), ("/users/7", "/users/71/orders/", false), ("/users/7", "/users/", false),
      ("/users/7/", "/users/7", false), ("/users/7/", "/users/7/orders/1", true), ("/", "/anything/at/all", true),
      ("/é/", "/é/1", true), ("/é/", "/e\u{301}/1", false),
    ])
  func covers(_ prefix: String, _ path: String, _ isCovered: Bool) throws {
    let rules = AccessRules([try AccessRule("read:\(prefix)")])
    var text = path
    #expect(text.withUTF8 { rules.readable.cover(UnsafeRawBufferPointer($0)) } == isCovered)
    let end = try #require(path.lastIndex(of: "/"))
    let collection = CollectionPath(unchecked: String(path[...end]))
    let id = String(path[path.index(after: end)...])
    if id.isEmpty {
      #expect(rules.readable.cover(collection) == isCovered)
    } else {
      #expect(rules.readable.cover(DocumentPath(collection: collection, id: id)) == isCovered)
    }
    #expect(!rules.writable.cover(collection))
  }

  @Test("a rule reaches into the collections above it, and covers none of them")
  func reaches() throws {
    let rules = AccessRules([try AccessRule("read:/users/7/orders/")]).readable
    for name in ["/users/", "/users/7/"] {
      #expect(rules.reachInto(CollectionPath(unchecked: name)))
      #expect(!rules.cover(CollectionPath(unchecked: name)))
    }
    #expect(rules.reachInto(CollectionPath(unchecked: "/users/7/orders/")))
    #expect(!rules.reachInto(CollectionPath(unchecked: "/users/8/")))
    #expect(!rules.reachInto(CollectionPath(unchecked: "/notes/")))
    #expect(!PathPrefixes.none.reachInto(CollectionPath(unchecked: "/notes/")))
    #expect(PathPrefixes.everything.reachInto(CollectionPath(unchecked: "/notes/")))
  }

  @Test(
    "what is no rule is refused, and told why",
    arguments: [
      "", "read", "read:", "read:notes/", "reed:/notes/", "admin:/notes/", "stats:/", "Admin", "read:/notes//",
      "read://", "read:/./", "read:/notes/../other/", "read:/_tokens/", "read:/_collections/notes/", "read:/a\u{0}b/",
      "read:/a\u{7F}/", "read:/" + String(repeating: "x", count: 1024), " read:/notes/",
    ])
  func refuses(_ text: String) {
    #expect(throws: AccessRuleError.self) { try AccessRule(text) }
  }

  @Test("a rule is written as it is read", arguments: ["read:/", "write:/notes/", "read:/users/7", "stats", "admin"])
  func roundTrip(_ text: String) throws {
    #expect(try AccessRule(text).text == text)
  }

  @Test("admin is everything, and stats is nothing else")
  func others() throws {
    let admin = AccessRules([.admin])
    #expect(admin.isAdmin && admin.seesStats && admin.readable.areEverything && admin.writable.areEverything)
    let stats = AccessRules([.stats])
    #expect(stats.seesStats && !stats.isAdmin && stats.readable.isEmpty && stats.writable.isEmpty)
    #expect(!AccessRules([try AccessRule("read:/"), try AccessRule("write:/")]).isAdmin)
  }
}
