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

  private static func update(_ gate: Gate, _ tokens: [AccessToken], at time: Int64 = 0) {
    gate.update(tokens, wall: Timestamp(milliseconds: time))
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

  // MARK: Open and shut

  @Test("is open until there is a token, to those who are in already as well, and shut for good then")
  func firstToken() throws {
    let gate = Gate()
    var visitor = Self.visitor(gate)
    #expect(gate.isOpen && !visitor.isStranger)
    #expect(try Self.refusal(&visitor, "/notes/1") == nil)
    visitor.noteWatch()
    #expect(!visitor.hasForbiddenWatches)
    Self.update(gate, [])
    #expect(gate.isOpen)
    Self.update(gate, [try Self.key("read:/").token])
    #expect(!gate.isOpen && visitor.isStranger && visitor.hasForbiddenWatches)
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
      visitor.noteWatch()
      Self.update(gate, token.map { [$0] } ?? [], at: time)
      #expect(visitor.hasForbiddenWatches)
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

  @Test("A watch that was begun with a token ends with it, also where the connection has another since")
  func watchesOfTwoTokens() throws {
    let (first, second) = (try Self.key("read:/a/"), try Self.key("read:/b/"))
    let gate = Gate()
    Self.update(gate, [first.token, second.token])
    var visitor = Self.visitor(gate)
    #expect(try Self.refusal(&visitor, "/a/1", token: first.text) == nil)
    visitor.noteWatch()
    #expect(try Self.refusal(&visitor, "/b/1", token: second.text) == nil)
    Self.update(gate, [second.token])
    #expect(visitor.hasForbiddenWatches)
    #expect(try Self.refusal(&visitor, "/b/1") == nil)
    visitor.forgetWatches()
    #expect(!visitor.hasForbiddenWatches)
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
