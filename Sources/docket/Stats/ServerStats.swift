import DocketService
import NIOCore

/// What a server has told of itself: the data of `GET /_stats`.
struct ServerStats {
  struct Requests: Equatable {
    let kind: String
    let count: Int
    let refused: Int
    let failed: Int
    let median: Double
    let highest: Double
  }

  private let members: [String: ByteBuffer]

  /// nil for what is no object.
  init?(_ data: ByteBuffer) {
    guard let members = data.jsonMembers else { return nil }
    self.members = Dictionary(members) { _, last in last }
  }

  func text(_ name: String) -> String? { members[name]?.jsonText }

  /// A number of the object itself, or of one within it; nil where the server, an older one perhaps, does not tell it.
  func number(_ name: String, _ inner: String? = nil) -> Double? {
    guard let value = members[name] else { return nil }
    guard let inner else { return Double(String(buffer: value)) }
    return ServerStats(value)?.number(inner)
  }

  func whole(_ name: String, _ inner: String? = nil) -> Int? { number(name, inner).flatMap { Int(exactly: $0) } }

  /// Of each kind that there was, in the server's order.
  var requests: [Requests] {
    (members["requests"]?.jsonMembers ?? []).compactMap { kind, data in
      ServerStats(data).map { account in
        Requests(
          kind: kind, count: account.whole("count") ?? 0, refused: account.whole("refused") ?? 0,
          failed: account.whole("failed") ?? 0, median: account.number("p50Milliseconds") ?? 0,
          highest: account.number("p99Milliseconds") ?? 0)
      }
    }
  }

  /// All requests there were.
  var requestCount: Int { requests.reduce(0) { $0 + $1.count } }
}
