import DocketClient
import DocketService
import DocketStore
import DocketWire
import NIOCore

/// The tokens of a running server, asked for with a token that is an admin's.
struct ServerTokens: TokenKeeper {
  let client: DocketClient

  var place: String { "\(client.address)" }

  func add(_ order: TokenOrder) async throws -> (token: ListedToken, text: String) {
    let answer = try await ask(.post, "/_tokens/", Self.request(order))
    return try Self.telling {
      let fields = try AnswerFields(answer.data)
      return (try ListedToken(fields), try fields.text("token"))
    }
  }

  func revoke(_ nameOrID: String) async throws -> Bool {
    do {
      _ = try await client.success(.delete, "/_tokens/\(DocketClient.percentEncoded(nameOrID))")
      return true
    } catch DocketClientError.refused(let refusal) where refusal.error == "no_token" {
      return false
    } catch let error as DocketClientError {
      throw Self.failure(error)
    }
  }

  func isOpen() async throws -> Bool { try await page(after: nil, limit: 1).tokens.isEmpty }

  func list() async throws -> [ListedToken] {
    var tokens: [ListedToken] = []
    var next: String?
    repeat {
      let page = try await page(after: next, limit: Self.pageTokens)
      tokens += page.tokens
      next = page.next
    } while next != nil
    return tokens
  }

  /// How many the server tells at once, at most.
  private static let pageTokens = 1000

  private func page(after: String?, limit: Int) async throws -> (tokens: [ListedToken], next: String?) {
    let place = after.map { "&after=\(DocketClient.percentEncoded($0))" } ?? ""
    let answer = try await ask(.get, "/_tokens/?limit=\(limit)\(place)", nil)
    return try Self.telling {
      let fields = try AnswerFields(answer.data)
      let tokens = try fields.elements("items").map { try ListedToken(try AnswerFields($0)) }
      let next = try fields.optionalText("next")
      // It must lead on, or there would be no end.
      guard next == nil || (next != after && !tokens.isEmpty) else {
        throw DocketClientError.badAnswer(reason: "'next' in the answer leads nowhere")
      }
      return (tokens, next)
    }
  }

  private func ask(_ method: Method, _ path: String, _ data: ByteBuffer?) async throws -> Answer {
    do {
      return try await client.success(method, path, data: data)
    } catch let error as DocketClientError {
      throw Self.failure(error)
    }
  }

  private static func telling<Value>(_ read: () throws -> Value) throws -> Value {
    do {
      return try read()
    } catch let error as DocketClientError {
      throw CommandFailure(error)
    }
  }

  /// Says what else can be done where the server is away, or takes nothing from this command.
  private static func failure(_ error: DocketClientError) -> CommandFailure {
    let other = "who may write to the database file can do without the server: --database FILE"
    switch error {
    case .connectionFailed, .notSecured: return CommandFailure("\(CommandFailure(error)); \(other)")
    case .refused(let refusal) where refusal.code == 401 || refusal.code == 403:
      return CommandFailure("\(CommandFailure(error)); this needs a token that is an admin's, or \(other)")
    default: return CommandFailure(error)
    }
  }

  /// `{"name": "ci", "allow": ["read:/notes/"], "expiresIn": 7776000}`
  static func request(_ order: TokenOrder) -> ByteBuffer {
    var json = ByteBuffer(staticString: "{\"name\": ")
    json.writeJSONString(order.name)
    json.writeStaticString(", \"allow\": [")
    for (number, rule) in order.rules.enumerated() {
      if number > 0 { json.writeStaticString(", ") }
      json.writeJSONString(rule.text)
    }
    json.writeStaticString("]")
    if let lifetime = order.lifetime { json.writeString(", \"expiresIn\": \(lifetime.seconds)") }
    json.writeStaticString("}")
    return json
  }
}

extension ListedToken {
  fileprivate init(_ fields: AnswerFields) throws(DocketClientError) {
    var rules: [String] = []
    for rule in try fields.elements("allow") {
      guard let text = rule.withUnsafeReadableBytes({ JSONOutline.text($0) }) else {
        throw .badAnswer(reason: "a rule in the answer is not a string")
      }
      rules.append(text)
    }
    guard let created = try fields.time("createdAt") else { throw .badAnswer(reason: "no 'createdAt' in the answer") }
    self.init(
      name: try fields.text("name"), id: try fields.text("id"), rules: rules, created: created,
      expires: try fields.time("expiresAt"), revoked: try fields.time("revokedAt"))
  }
}

extension AnswerFields {
  /// Nil for a member that is null or not there.
  fileprivate func time(_ name: String) throws(DocketClientError) -> Timestamp? {
    guard let text = try optionalText(name) else { return nil }
    guard let time = Timestamp(rfc3339: text) else { throw .badAnswer(reason: "'\(name)' in the answer is no time") }
    return time
  }
}
