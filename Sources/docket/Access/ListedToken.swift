import DocketService
import DocketStore
import NIOCore

/// What is told of a token.
struct ListedToken: Equatable, Sendable {
  let name: String
  let id: String
  /// As they are kept. A later version may have written some that this one cannot read.
  let rules: [String]
  let created: Timestamp
  let expires: Timestamp?
  let revoked: Timestamp?

  enum State: String {
    case active, expired, revoked
    /// It allows nothing.
    case unreadable = "unreadable rules"
  }

  func state(at now: Timestamp) -> State {
    if revoked != nil { return .revoked }
    if let expires, expires <= now { return .expired }
    return rules.isEmpty || rules.contains { (try? AccessRule($0)) == nil } ? .unreadable : .active
  }
}

extension ListedToken {
  /// A line of JSON: what the server tells, and the state.
  func json(at now: Timestamp) -> ByteBuffer {
    var json = ByteBuffer(staticString: "{\"name\": ")
    json.writeJSONString(name)
    json.writeStaticString(", \"id\": ")
    json.writeJSONString(id)
    json.writeStaticString(", \"allow\": [")
    for (number, rule) in rules.enumerated() {
      if number > 0 { json.writeStaticString(", ") }
      json.writeJSONString(rule)
    }
    json.writeStaticString("]")
    for (member, time) in [("createdAt", created), ("expiresAt", expires), ("revokedAt", revoked)] {
      json.writeString(", \"\(member)\": ")
      if let time { json.writeJSONString(time.rfc3339) } else { json.writeStaticString("null") }
    }
    json.writeStaticString(", \"state\": ")
    json.writeJSONString(state(at: now).rawValue)
    json.writeStaticString("}")
    return json
  }
}
