import DocketStore
import DocketWire
import NIOCore
import Testing

@testable import DocketService

/// Each kind of request with the rules that just allow it, and with all that just miss it.
@Suite("Who may do what")
struct AccessMatrixTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let method: DocketWire.Method
    let path: String
    var data: String?
    /// All of these together allow it, and nothing less does.
    let rules: [String]
    /// Whether it is answered though only a part of it may be read.
    var isNarrowed = false

    var testDescription: String { "\(method) \(path) \(data ?? "")" }
  }

  static let rows: [Row] = [
    Row(method: .get, path: "/_health", rules: []),
    Row(method: .get, path: "/_ready", rules: []),
    Row(method: .get, path: "/_access", rules: []),
    Row(method: .get, path: "/_stats", rules: ["stats"]),
    // The original routes.
    Row(method: .get, path: "/list", rules: ["read:/item/"]),
    Row(method: .post, path: "/item", data: "1", rules: ["write:/item/"]),
    Row(method: .put, path: "/item", data: #""a,b""#, rules: ["read:/item/", "write:/item/"]),
    Row(method: .delete, path: "/item", data: "1", rules: ["read:/item/", "write:/item/"]),
    // Documents.
    Row(method: .get, path: "/notes/42", rules: ["read:/notes/"]),
    Row(method: .get, path: "/notes/42", rules: ["read:/notes/42"]),
    Row(method: .get, path: "/notes/42/comments/1", rules: ["read:/notes/42"]),
    Row(method: .get, path: "/n%6Ftes/%342", rules: ["read:/notes/42"]),
    Row(method: .put, path: "/notes/42", data: "1", rules: ["write:/notes/"]),
    Row(method: .put, path: "/notes/42", data: "1", rules: ["write:/notes/42"]),
    Row(method: .delete, path: "/notes/42", rules: ["write:/notes/"]),
    Row(method: .patch, path: "/notes/42", data: "{}", rules: ["read:/notes/42", "write:/notes/42"]),
    Row(method: .patch, path: "/notes/42", data: "[]", rules: ["read:/notes/", "write:/notes/"]),
    Row(method: .post, path: "/notes/", data: "1", rules: ["write:/notes/"]),
    // The past.
    Row(method: .get, path: "/notes/42?asOf=1", rules: ["read:/notes/42"]),
    Row(method: .get, path: "/notes/42?history=true", rules: ["read:/notes/42"]),
    Row(method: .post, path: "/notes/42?restore=1", rules: ["read:/notes/42", "write:/notes/42"]),
    Row(method: .get, path: "/notes/?asOf=1", rules: ["read:/notes/"]),
    // Collections, queries, counts, searches.
    Row(method: .get, path: "/notes/", rules: ["read:/notes/"]),
    Row(method: .get, path: "/users/7/orders/", rules: ["read:/users/7"]),
    Row(method: .get, path: "/notes/?where[a]=1", rules: ["read:/notes/"]),
    Row(method: .get, path: "/notes/?count=true&limit=0", rules: ["read:/notes/"]),
    Row(method: .get, path: "/notes/?where[$text]=word", rules: ["read:/notes/"]),
    Row(method: .get, path: "/notes/?explain=true", rules: ["read:/notes/"]),
    Row(method: .get, path: "/notes/", data: #"{"aggregate":{"n":"count"}}"#, rules: ["read:/notes/"]),
    Row(method: .get, path: "/notes/?recursive=true", rules: ["read:/notes/"]),
    Row(method: .get, path: "/users/?recursive=true", rules: ["read:/users/7"], isNarrowed: true),
    Row(method: .get, path: "/_documents", rules: ["read:/"]),
    Row(method: .get, path: "/_documents", rules: ["read:/notes/"], isNarrowed: true),
    Row(method: .get, path: "/_documents?explain=true", rules: ["read:/"]),
    // Changes and watches.
    Row(method: .get, path: "/_changes", rules: ["read:/notes/"], isNarrowed: true),
    Row(method: .get, path: "/_changes?watch=true", rules: ["read:/notes/42"], isNarrowed: true),
    Row(method: .get, path: "/notes/42?watch=true", rules: ["read:/notes/42"]),
    Row(method: .get, path: "/notes/?watch=true", rules: ["read:/notes/"]),
    Row(method: .get, path: "/notes/?watch=true&recursive=true", rules: ["read:/notes/"]),
    Row(method: .get, path: "/users/?watch=true&recursive=true", rules: ["read:/users/7"], isNarrowed: true),
    // Batches.
    Row(
      method: .post, path: "/_batch",
      data: #"{"requests":[{"method":"GET","path":"/one/1"},{"method":"PUT","path":"/two/1","data":1}]}"#,
      rules: ["read:/one/", "write:/two/"]),
    Row(
      method: .post, path: "/_batch",
      data: #"{"requests":[{"method":"PATCH","path":"/one/1","data":{}},{"method":"GET","path":"/three/"}]}"#,
      rules: ["read:/one/1", "write:/one/1", "read:/three/"]),
    // Tokens.
    Row(method: .get, path: "/_tokens/", rules: ["admin"]),
    Row(method: .get, path: "/_tokens/?limit=7", rules: ["admin"]),
    Row(method: .post, path: "/_tokens/", data: #"{"name":"ci","allow":["read:/notes/"]}"#, rules: ["admin"]),
    Row(method: .delete, path: "/_tokens/ci", rules: ["admin"]),
    // Backups.
    Row(method: .get, path: "/_backups/", rules: ["admin"]),
    Row(method: .post, path: "/_backups/", data: "{}", rules: ["admin"]),
    Row(method: .post, path: "/_backups/", data: #"{"name":"monday.db"}"#, rules: ["admin"]),
    Row(method: .get, path: "/_backups/monday.db", rules: ["admin"]),
    Row(method: .delete, path: "/_backups/monday.db", rules: ["admin"]),
    // What collections hold.
    Row(method: .get, path: "/_collections/?count=true", rules: ["read:/notes/"], isNarrowed: true),
    // Settings.
    Row(method: .get, path: "/_collections/", rules: ["admin"]),
    Row(method: .get, path: "/_collections/notes/", rules: ["admin"]),
    Row(method: .put, path: "/_collections/notes/", data: "{}", rules: ["admin"]),
    Row(method: .delete, path: "/_collections/notes/", rules: ["admin"]),
  ]

  /// Which row is about a resource. There is no default on purpose: whoever adds a resource adds rows for it here.
  static func sample(of resource: Resource) -> String {
    switch resource {
    case .root: "/"
    case .echo: "/echo"
    case .list: "/list"
    case .item: "/item"
    case .document: "/notes/42"
    case .collection: "/notes/"
    case .documents: "/_documents"
    case .settings: "/_collections/notes/"
    case .allSettings: "/_collections/"
    case .backups: "/_backups/"
    case .backup: "/_backups/monday.db"
    case .tokens: "/_tokens/"
    case .token: "/_tokens/ci"
    case .health: "/_health"
    case .ready: "/_ready"
    case .access: "/_access"
    case .stats: "/_stats"
    case .batch: "/_batch"
    case .changes: "/_changes"
    case .watch: "/_watches/1"
    case .reserved: "/_nothing"
    case .unknown: "/nothing"
    }
  }

  /// What tells nothing of what is stored, and is for all who may do anything.
  static let harmless = ["/", "/echo", "/_watches/1", "/_nothing", "/nothing"]

  private static let user: UInt32 = 4711

  /// What somebody's request comes to who may do this.
  private static func operation(_ row: Row, _ rules: [String]) throws -> DocketService.Operation {
    let gate = Gate(terms: AccessTerms(peers: [user: AccessRules(try rules.map { try AccessRule($0) })]))
    gate.update(TokenRoll(changes: 1, tokens: [someToken]), wall: Timestamp(milliseconds: 0))
    var visitor = Visitor(gate, from: .user(user), user: user)
    let request = Request(
      method: row.method, path: ByteBuffer(string: row.path), data: row.data.map { ByteBuffer(string: $0) })
    return visitor.operation(for: request, by: Router(limits: WireLimits()))
  }

  /// It shuts the gate.
  private static let someToken = AccessToken(
    id: "somebody", name: "somebody", rules: .none, digest: [], created: Timestamp(milliseconds: 0), expires: nil,
    revoked: nil)

  private static func isRefused(_ operation: DocketService.Operation) -> Bool {
    if case .answer(let response) = operation {
      return response.status == .unauthorized || response.status == .forbidden
    }
    return false
  }

  /// Rules that nearly are the ones given.
  private static func nearMisses(of rules: [String]) -> [[String]] {
    var misses: [[String]] = []
    for (index, rule) in rules.enumerated() {
      var others = rules
      others.remove(at: index)
      func add(_ text: String) { misses.append(others + [text]) }
      misses.append(others)
      misses.append(others + ["stats"].filter { rule != $0 })
      let parts = rule.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        // What is for operators is for no reader and writer.
        misses.append(["read:/", "write:/"] + (rule == "admin" ? ["stats"] : []))
        continue
      }
      let prefix = parts[1]
      let isRead = parts[0] == "read"
      // The other verb, everywhere; where it is wanted besides, without this one.
      misses.append(others.filter { !$0.hasPrefix(isRead ? "read:" : "write:") } + [isRead ? "write:/" : "read:/"])
      guard prefix != "/" else { continue }
      let stem = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
      add("\(parts[0]):\(stem)x\(prefix.hasSuffix("/") ? "/" : "")")
      add("\(parts[0]):\(stem.dropLast())\(prefix.hasSuffix("/") ? "/" : "y")")
      add("\(parts[0]):/x\(prefix)")
      add("\(parts[0]):\(stem.uppercased())\(prefix.hasSuffix("/") ? "/" : "")")
    }
    return misses
  }

  @Test("A request is carried out with just the rules it needs", arguments: rows)
  func allowed(_ row: Row) throws {
    for rules in [row.rules, ["admin"]] {
      let operation = try Self.operation(row, rules)
      #expect(!Self.isRefused(operation))
      // The request itself is right, or it would not show anything.
      if case .answer(let response) = operation { #expect(!response.status.isError, "\(response)") }
    }
  }

  @Test("and not with any that just miss it", arguments: rows.filter { !$0.rules.isEmpty })
  func refused(_ row: Row) throws {
    for rules in [[]] + Self.nearMisses(of: row.rules) {
      let operation = try Self.operation(row, rules)
      if row.isNarrowed, rules.contains(where: { $0.hasPrefix("read:") }) {
        // Then it shows what those rules allow. That is looked at where the store answers.
        #expect(Self.isRefused(operation) || Self.readable(of: operation) != nil, "\(rules)")
      } else {
        #expect(Self.isRefused(operation), "\(rules)")
      }
    }
  }

  @Test("Where only a part may be read, the part goes with the request", arguments: rows.filter(\.isNarrowed))
  func narrowed(_ row: Row) throws {
    let rules = AccessRules(try row.rules.map { try AccessRule($0) })
    #expect(Self.readable(of: try Self.operation(row, row.rules)) == rules.readable)
    #expect(Self.readable(of: try Self.operation(row, ["read:/"])) == nil)
  }

  private static func readable(of operation: DocketService.Operation) -> PathPrefixes? {
    switch operation {
    case .query(let request): request.readable
    case .watch(let request): request.readable
    case .readCollections(let request): request.readable
    case .readChanges(let request): request.readable
    default: nil
    }
  }

  @Test("'explain' counts what may not be read, so it needs to read all")
  func explanation() throws {
    let row = Row(method: .get, path: "/_documents?explain=true", rules: [])
    #expect(Self.isRefused(try Self.operation(row, ["read:/notes/"])))
    #expect(!Self.isRefused(try Self.operation(row, ["read:/"])))
  }

  @Test("What tells nothing of what is stored is for all who may do anything at all, and for nobody else")
  func harmlessPaths() throws {
    for path in Self.harmless {
      let row = Row(method: .get, path: path, rules: [])
      #expect(Self.isRefused(try Self.operation(row, [])), "\(path)")
      #expect(!Self.isRefused(try Self.operation(row, ["read:/x/"])), "\(path)")
    }
  }

  @Test("Every method of every path is refused to those who may do nothing, and every path has rows here")
  func nothing() throws {
    let paths = Set(Self.rows.map(\.path) + Self.harmless)
    for path in paths {
      let bare = String(path.prefix { $0 != "?" })
      let resource = try Target(path: ByteBuffer(string: bare)).resource
      let sample = Self.sample(of: resource)
      #expect(paths.contains(sample), "\(sample)")
      for method: DocketWire.Method in [.get, .post, .put, .patch, .delete, .other]
      where resource != .health && resource != .ready && resource != .access {
        let row = Row(method: method, path: path, rules: [])
        #expect(Self.isRefused(try Self.operation(row, [])), "\(method) \(path)")
      }
    }
  }
}
