import DocketStore
import DocketWire
import NIOCore
import Testing

@testable import DocketService

@Suite("The gate")
struct GateTests {
  private struct Key {
    let token: AccessToken
    let text: String

    /// The same token otherwise.
    func with(_ rules: String? = nil, expires: Int64? = nil, revoked: Int64? = nil) throws -> AccessToken {
      AccessToken(
        id: token.id, name: token.name, rules: try rules.map { AccessRules([try AccessRule($0)]) } ?? token.rules,
        digest: token.digest, created: token.created, expires: expires.map(Timestamp.init(milliseconds:)),
        revoked: revoked.map(Timestamp.init(milliseconds:)))
    }
  }

  private static func key(_ rules: String..., expires: Int64? = nil) throws -> Key {
    let (text, id, digest) = TokenText.make()
    let token = AccessToken(
      id: id, name: id, rules: AccessRules(try rules.map { try AccessRule($0) }), digest: digest,
      created: Timestamp(milliseconds: 0), expires: expires.map(Timestamp.init(milliseconds:)), revoked: nil)
    return Key(token: token, text: text)
  }

  /// Has the gate look at these, whatever it knows.
  private static func update(_ gate: Gate, _ tokens: [AccessToken], at time: Int64 = 0) {
    let roll = TokenRoll(
      changes: tokens.isEmpty && gate.isOpen ? 0 : nil, tokens: tokens.filter { $0.revoked == nil })
    gate.update(roll, wall: Timestamp(milliseconds: time))
  }

  private static func visitor(_ gate: Gate) -> Visitor { Visitor(gate, from: .unknown) }

  private static func request(_ path: String, token: String? = nil) throws -> Request {
    var headers = Headers()
    if let token { headers.append("Authorization", "Bearer \(token)") }
    return Request(method: .get, path: ByteBuffer(string: path), headers: headers)
  }

  /// The code that a read is refused with; nil where it would be carried out.
  private static func refusal(
    _ visitor: inout Visitor, _ path: String, token: String? = nil
  ) throws -> Int? {
    switch visitor.operation(for: try request(path, token: token), by: Router(limits: WireLimits())) {
    case .answer(let response), .answerLater(let response, _): response.status.rawValue
    default: nil
    }
  }

  /// By what a watch is had that is begun now.
  private static func watchGrant(_ visitor: inout Visitor, token: String? = nil) throws -> Grant {
    let operation = visitor.operation(
      for: try request("/notes/?watch=true", token: token), by: Router(limits: WireLimits()))
    guard case .watch(let watch) = operation else { throw NoWatch() }
    return try #require(watch.grant)
  }

  private struct NoWatch: Error {}

  // MARK: What is told

  private static func text(_ operation: DocketService.Operation) -> String {
    guard case .answer(let response) = operation else { return "\(operation)" }
    return response.data.map { String(buffer: $0) } ?? ""
  }

  @Test("tells everybody what he may do: what all may do among it")
  func access() throws {
    let gate = Gate(terms: AccessTerms(anonymous: AccessRules([try AccessRule("read:/public/")])))
    let key = try Self.key("write:/notes/", expires: 60_000)
    var visitor = Self.visitor(gate)
    func told(_ token: String? = nil) throws -> String {
      Self.text(visitor.operation(for: try Self.request("/_access", token: token), by: Router(limits: WireLimits())))
    }
    #expect(try told() == #"{"token": null, "open": true, "allow": ["admin"]}"#)
    Self.update(gate, [key.token])
    #expect(try told() == #"{"token": null, "open": false, "allow": ["read:/public/"]}"#)
    #expect(
      try told(key.text)
        == #"{"token": {"name": "\#(key.token.name)", "id": "\#(key.token.id)", "expiresAt": "1970-01-01T00:01:00.000Z"}, "open": false, "allow": ["write:/notes/", "read:/public/"]}"#
    )
  }

  @Test(
    "tells who is refused which rule it would take",
    arguments: [
      ("GET", "/other/1", "a rule read:…"), ("GET", "/other/", "a rule read:…"), ("PUT", "/other/1", "a rule write:…"),
      ("POST", "/other/", "a rule write:…"), ("PATCH", "/notes/1", "a rule read:…"),
      ("GET", "/_documents", "a rule read:…"),
      ("GET", "/_stats", "the rule stats"), ("GET", "/_tokens/", "the rule admin"),
      ("GET", "/notes/?recursive=true", "a rule read:…"),
    ])
  func lack(_ method: String, _ path: String, _ rule: String) throws {
    let gate = Gate()
    let key = try Self.key("write:/notes/")
    Self.update(gate, [key.token])
    var visitor = Self.visitor(gate)
    let named = DocketWire.Method(rawValue: method)
    let request = Request(
      method: try #require(named), path: ByteBuffer(string: path),
      data: ByteBuffer(string: "{}"), headers: Headers([("Authorization", "Bearer \(key.text)")]))
    let text = Self.text(visitor.operation(for: request, by: Router(limits: WireLimits())))
    #expect(text.contains("it would take \(rule)"), "\(text)")
  }

  // MARK: Open and shut

  @Test("is open until there is a token, to those who are in already as well, and shut for good then")
  func firstToken() throws {
    let gate = Gate()
    var visitor = Self.visitor(gate)
    #expect(gate.isOpen && !visitor.isStranger)
    #expect(try Self.refusal(&visitor, "/notes/1") == nil)
    let grant = try Self.watchGrant(&visitor)
    #expect(!grant.isOver)
    Self.update(gate, [])
    #expect(gate.isOpen)
    Self.update(gate, [try Self.key("read:/").token])
    #expect(!gate.isOpen && visitor.isStranger && grant.isOver)
    let path = "/notes/1"
    #expect(!Array(path.utf8).withUnsafeBytes { visitor.mayRead(atOnce: $0) })
    #expect(try Self.refusal(&visitor, path) == 401)
    Self.update(gate, [])
    #expect(!gate.isOpen)
    #expect(try Self.refusal(&visitor, path) == 401)
  }

  @Test("knows who has shown a token before it was asked for one")
  func shownBefore() throws {
    let gate = Gate()
    let key = try Self.key("read:/notes/")
    var (known, wrong) = (Self.visitor(gate), Self.visitor(gate))
    #expect(try Self.refusal(&known, "/other/1", token: key.text) == nil)
    #expect(try Self.refusal(&wrong, "/other/1", token: Self.key("admin").text) == nil)
    Self.update(gate, [key.token])
    #expect(try Self.refusal(&known, "/notes/1") == nil)
    #expect(try Self.refusal(&known, "/other/1") == 403)
    #expect(try Self.refusal(&wrong, "/notes/1") == 401)
    Self.update(gate, [try key.with(revoked: 1)])
    #expect(try Self.refusal(&known, "/notes/1") == 401)
  }

  @Test("has nothing kept of an Authorization that shows no token, however long it is")
  func keptCredential() throws {
    let gate = Gate()
    let key = try Self.key("read:/notes/")
    var visitor = Self.visitor(gate)
    func kept(_ authorization: String) -> String? {
      #expect(visitor.identify(by: Headers([("Authorization", authorization)])) == nil)
      return visitor.unreadCredential
    }
    let long = String(repeating: " ", count: 100_000)
    for text in [
      "", "x\(long)", "Bearer \(long)", "Bearer docket_no", "\(long)Bearer \(key.text)", "Basic \(key.text)",
    ] {
      #expect(kept("Bearer \(key.text)") == "Bearer \(key.text)")
      #expect(kept(text) == nil)
    }
    Self.update(gate, [key.token])
    #expect(try Self.refusal(&visitor, "/notes/1") == 401)
  }

  @Test("has those owe a token who have shown none, where nothing is open to strangers")
  func owing() throws {
    let key = try Self.key("read:/notes/")
    for anonymous in [AccessRules.none, AccessRules([.read("/public/")])] {
      let gate = Gate(terms: AccessTerms(anonymous: anonymous, peers: [7: AccessRules([.admin])]))
      var (known, earlier) = (Self.visitor(gate), Self.visitor(gate))
      #expect(try Self.refusal(&earlier, "/notes/1", token: key.text) == nil)
      let (peer, other) = (Visitor(gate, from: .user(7), user: 7), Visitor(gate, from: .user(8), user: 8))
      #expect([known, earlier, peer, other].map(\.owesToken) == [false, false, false, false])
      Self.update(gate, [key.token])
      let owes = anonymous == .none
      #expect(known.owesToken == owes && other.owesToken == owes && !peer.owesToken && !earlier.owesToken)
      #expect(!peer.isStranger && !Visitor(gate, from: .user(7), user: 7).owesToken)
      #expect(try Self.refusal(&known, "/notes/1", token: key.text) == nil)
      #expect(!known.owesToken)
      Self.update(gate, [try key.with(revoked: 1)])
      #expect(known.owesToken == owes)
    }
  }

  @Test("is shut by a token that was revoked, or has expired, as by any other")
  func firstIsOver() throws {
    let key = try Self.key("admin")
    for token in [try key.with(revoked: 1), try key.with(expires: 1)] {
      let gate = Gate()
      Self.update(gate, [token], at: 2)
      var visitor = Self.visitor(gate)
      #expect(try Self.refusal(&visitor, "/notes/1", token: key.text) == 401)
    }
  }

  // MARK: What ends

  @Test("A token that is revoked, expires or is gone ends at once, on connections that have it as well")
  func ends() throws {
    let key = try Self.key("read:/notes/")
    let ends: [(AccessToken?, Int64)] = [
      (try key.with(revoked: 5), 5), (try key.with(expires: 5), 5), (nil, 0),
      // Somebody has put another secret in its place.
      (try Self.key("read:/notes/").token, 0), (try key.with("read:/other/"), 0),
    ]
    for (token, time) in ends {
      let gate = Gate()
      Self.update(gate, [key.token], at: 4)
      var visitor = Self.visitor(gate)
      #expect(try Self.refusal(&visitor, "/notes/1", token: key.text) == nil)
      #expect(!visitor.isStranger)
      let grant = try Self.watchGrant(&visitor)
      Self.update(gate, token.map { [$0] } ?? [], at: time)
      #expect(grant.isOver)
      #expect(!Array("/notes/1".utf8).withUnsafeBytes { visitor.mayRead(atOnce: $0) })
      #expect(try Self.refusal(&visitor, "/notes/1") == 401)
      #expect(try Self.refusal(&visitor, "/notes/1", token: key.text) != nil)
    }
  }

  @Test("A token holds up to the millisecond at which it expires")
  func expiry() throws {
    let key = try Self.key("read:/", expires: 1_000)
    let gate = Gate()
    Self.update(gate, [key.token], at: 999)
    #expect(gate.grant(for: key.text[...])?.isOver == false)
    gate.endExpired(wall: Timestamp(milliseconds: 999))
    let grant = try #require(gate.grant(for: key.text[...]))
    // By itself, where the tokens cannot be read.
    gate.endExpired(wall: Timestamp(milliseconds: 1_000))
    #expect(grant.isOver && gate.grant(for: key.text[...]) == nil)
  }

  @Test("What does not change goes on")
  func unchanged() throws {
    let (first, second) = (try Self.key("read:/"), try Self.key("admin"))
    let gate = Gate()
    Self.update(gate, [first.token])
    let grant = try #require(gate.grant(for: first.text[...]))
    Self.update(gate, [second.token, first.token])
    Self.update(gate, [try second.with(revoked: 1), first.token])
    #expect(!grant.isOver && gate.grant(for: first.text[...]) === grant)
  }

  @Test("A watch has what its connection had when it was begun, whatever that shows later")
  func watchesOfTwoTokens() throws {
    let (first, second) = (try Self.key("read:/notes/"), try Self.key("admin"))
    let gate = Gate()
    Self.update(gate, [first.token, second.token])
    var visitor = Self.visitor(gate)
    let grants = try [first, second].map { try Self.watchGrant(&visitor, token: $0.text) }
    Self.update(gate, [second.token])
    #expect(grants.map(\.isOver) == [true, false])
    #expect(try Self.refusal(&visitor, "/b/1") == nil)
    Self.update(gate, [first.token])
    #expect(grants.map(\.isOver) == [true, true])
  }

  // MARK: What it looks at

  @Test("It is open only where it is certain that there has never been a token")
  func certainty() throws {
    for (changes, isOpen) in [(Int64?(0), true), (1, false), (nil, false)] {
      let gate = Gate()
      gate.update(TokenRoll(changes: changes, tokens: []), wall: Timestamp(milliseconds: 0))
      #expect(gate.isOpen == isOpen, "\(String(describing: changes))")
    }
  }

  @Test("Tokens are looked at again when they have changed, or the clock has gone back, and expire meanwhile")
  func unchangedRoll() throws {
    let key = try Self.key("read:/", expires: 1_000)
    let gate = Gate()
    func update(_ changes: Int64, _ tokens: [AccessToken], at time: Int64) -> Bool {
      gate.update(TokenRoll(changes: changes, tokens: tokens), wall: Timestamp(milliseconds: time))
      return gate.grant(for: key.text[...]) != nil
    }
    #expect(update(7, [key.token], at: 500))
    // What is told under the same number is not looked at.
    #expect(update(7, [], at: 999))
    #expect(!update(7, [key.token], at: 1_000))
    #expect(!update(7, [key.token], at: 1_001))
    #expect(update(7, [key.token], at: 998))
    #expect(!update(8, [], at: 999))
    #expect(update(9, [key.token], at: 999))
  }

  // MARK: Who is told what

  @Test("An unknown id, a wrong secret, and what is over cannot be told apart")
  func indistinguishable() throws {
    let (known, other, revoked) = (try Self.key("read:/"), try Self.key("read:/"), try Self.key("read:/"))
    let wrong = String(known.text.prefix(20)) + other.text.suffix(43)
    let texts = [other.text, wrong, revoked.text, "docket_", "nonsense"]
    var answers: [[String]] = []
    for text in texts {
      let gate = Gate()
      Self.update(gate, [known.token, try revoked.with(revoked: 1)])
      var visitor = Self.visitor(gate)
      // Each is counted as a failure as well.
      answers.append(
        try (0..<7).map { _ in
          "\(visitor.operation(for: try Self.request("/n/1", token: text), by: Router(limits: WireLimits())))"
        })
    }
    #expect(Set(answers).count == 1)
    // Whether there is such an id, a digest of the same length is compared.
    let gate = Gate()
    Self.update(gate, [known.token])
    #expect(gate.candidate(for: known.token.id).digest == known.token.digest)
    #expect(gate.candidate(for: other.token.id).digest.count == known.token.digest.count)
    #expect(gate.candidate(for: other.token.id).grant == nil)
  }

  @Test("A token that is not taken leaves its connection without one, and is told so each time")
  func wrongToken() throws {
    let key = try Self.key("read:/")
    let gate = Gate()
    Self.update(gate, [key.token])
    var visitor = Self.visitor(gate)
    #expect(try Self.refusal(&visitor, "/n/1", token: key.text) == nil)
    #expect(try Self.refusal(&visitor, "/n/1") == nil)
    #expect(try Self.refusal(&visitor, "/n/1", token: "docket_") == 401)
    #expect(visitor.isStranger)
    #expect(try Self.refusal(&visitor, "/n/1") == 401)
    #expect(try Self.refusal(&visitor, "/n/1", token: key.text) == nil)
  }

  @Test("Rules that cannot be read allow nothing")
  func unreadable() throws {
    for text in [
      "", "{}", "null", "7", "admin", "\"admin\"", #"["admin""#, #"["admin"] x"#, #"["admin",]"#, #"["admin", 7]"#,
      #"["admin", "read"]"#, #"["read:/notes/", "read:notes"]"#, #"["admin" "stats"]"#, #"[["admin"]]"#,
      #"["admin", "\ud800"]"#,
    ] {
      let rules = Array(text.utf8).withUnsafeBytes { AccessRules(stored: $0) }
      #expect(rules == .none, "\(text)")
    }
    let kept = Array(#" ["read:/n\u006Ftes/", "stats"] "#.utf8).withUnsafeBytes { AccessRules(stored: $0) }
    #expect(kept == AccessRules([.read("/notes/"), .stats]))
  }
}
