import DocketStore

extension SessionDriver {
  public func add(_ token: NewToken) async throws -> AccessToken {
    try await answer { session, completion in session.add(token, completion: completion) }
  }

  public func revokeToken(_ nameOrID: String) async throws -> AccessToken? {
    try await answer { session, completion in session.revokeToken(nameOrID, completion: completion) }
  }

  /// All tokens, by small pages.
  public func tokens() async throws -> [AccessToken] {
    var tokens: [AccessToken] = []
    while true {
      let place = tokens.last?.place
      let page: [AccessToken] = try await answer { session, completion in
        session.tokens(after: place, limit: 3, completion: completion)
      }
      tokens += page
      if page.count < 3 { return tokens }
    }
  }
}

extension NewToken {
  /// One of which only what a test says matters.
  public static func sample(
    _ name: String, id: String? = nil, _ rules: [AccessRule] = [.read("/notes/")], expires: Timestamp? = nil
  ) -> NewToken {
    NewToken(
      id: id ?? "id-\(name)", name: name, rules: AccessRules(rules), digest: Array(repeating: 7, count: 31) + [0xAB],
      expires: expires)
  }
}

extension RepositoryConformance {
  static let tokenChecks: [Check] = [
    Check("a token is kept as it was given, and everybody is told of it") { repository in
      let driver = try SessionDriver(repository)
      try expectEqual(try await driver.tokens(), [])
      let end = Timestamp(milliseconds: 9_000_000_000_000)
      let new = NewToken.sample("é\"\\", [.read("/a \"b\\/é/"), .write("/c/7"), .stats, .admin], expires: end)
      let token = try await driver.add(new)
      try expectEqual(
        token,
        AccessToken(
          id: new.id, name: new.name, rules: new.rules, digest: new.digest, created: token.created, expires: end,
          revoked: nil))
      try expectEqual(try await driver.tokens(), [token], "on its session")
      try expectEqual(try await SessionDriver(repository).tokens(), [token], "on another")
      let told = await (try FollowDriver(repository)).perform { $0.tokens() }
      try expectEqual(try told.get().tokens, [token], "by the reader of changes")
    },
    Check("a name belongs to one token as long as that is not revoked") { repository in
      let driver = try SessionDriver(repository)
      let first = try await driver.add(.sample("ci", id: "1"))
      do {
        _ = try await driver.add(.sample("ci", id: "2"))
        throw Failure(description: "there are two tokens of one name")
      } catch let error as StoreError {
        try expect(error == .tokenExists(name: "ci"), "\(error)")
      }
      try expectEqual(try await driver.tokens(), [first])
      let revoked = try await driver.revokeToken("ci")
      try expect(revoked?.revoked != nil, "it is not revoked")
      let second = try await driver.add(.sample("ci", id: "3"))
      // Which of two that were made within a millisecond is the older one nobody can tell.
      try expectEqual(Set(try await driver.tokens().map(\.id)), ["1", "3"])
      try expectEqual(try await driver.tokens().first { $0.id == "1" }, revoked)
      try expectEqual(try await driver.tokens().first { $0.id == "3" }, second)
    },
    Check("a token that has expired gives its name up, and is revoked by that") { repository in
      let driver = try SessionDriver(repository)
      let old = try await driver.add(.sample("ci", id: "1", expires: Timestamp(milliseconds: 1)))
      try expectEqual(try await driver.tokens(), [old], "an expired one is kept")
      let new = try await driver.add(.sample("ci", id: "2"))
      let tokens = try await driver.tokens()
      try expectEqual(tokens.first { $0.id == "2" }, new)
      try expect(tokens.count == 2 && tokens.first { $0.id == "1" }?.revoked != nil, "\(tokens)")
    },
    Check("a token is revoked once, by its name or its id, of which the name counts first") { repository in
      let driver = try SessionDriver(repository)
      for (name, id) in [("a", "b"), ("b", "c"), ("d", "e")] { _ = try await driver.add(.sample(name, id: id)) }
      try expectEqual(try await driver.revokeToken("nobody"), nil)
      try expectEqual(try await driver.revokeToken("b")?.name, "b")
      try expectEqual(try await driver.revokeToken("b")?.name, "a", "by its id, now that no name is in the way")
      try expectEqual(try await driver.revokeToken("b"), nil)
      try expectEqual(try await driver.revokeToken("c"), nil)
      try expectEqual(try await driver.revokeToken("e")?.name, "d")
      try expect(try await driver.tokens().allSatisfy { $0.revoked != nil }, "one is not revoked")
      try expectEqual(try await driver.tokens().count, 3, "none is deleted")
    },
    Check("tokens are told the oldest first, and are no documents") { repository in
      let driver = try SessionDriver(repository)
      let names = (0..<10).map { "t\(9 - $0)" }
      for name in names { _ = try await driver.add(.sample(name)) }
      let tokens = try await driver.tokens()
      try expectEqual(tokens.map(\.created), tokens.map(\.created).sorted())
      try expectEqual(Set(tokens.map(\.name)), Set(names))
      try expectEqual(try await driver.status().revision, Revision(0), "the counter")
    },
    Check("the reader of changes tells tokens that are not revoked, and whether there has ever been one") {
      repository in
      let (driver, reader) = (try SessionDriver(repository), try FollowDriver(repository))
      func roll() async throws -> TokenRoll { try await reader.perform { $0.tokens() }.get() }
      let open = try await roll()
      try expect(open == TokenRoll(changes: 0, tokens: []) && open.isOpen, "\(open)")
      _ = try await driver.write(.put("/n/", "1", "1"))
      try expectEqual(try await roll().changes, 0, "behind a document")
      let token = try await driver.add(.sample("ci"))
      let shut = try await roll()
      try expect(shut.tokens == [token] && !shut.isOpen, "\(shut)")
      _ = try await driver.write(.put("/n/", "1", "2"))
      try expectEqual(try await roll(), shut, "behind a document")
      _ = try await driver.revokeToken("ci")
      let empty = try await roll()
      try expect(empty.tokens.isEmpty && !empty.isOpen && empty.changes != shut.changes, "\(empty)")
    },
  ]
}
