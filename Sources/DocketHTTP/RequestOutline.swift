import HTTPTypes
import NIOHTTP1

/// What is looked at of every request, however its head is told: by the rules for browsers, for what all answers have, by the log.
struct RequestOutline: Sendable {
  let method: String
  /// As it stands in the request; nil: none does.
  let target: String?
  let host: String?
  let origin: String?
  /// `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/).
  let fetchSite: String?
  /// `Sec-Fetch-Mode`.
  let fetchMode: String?
  /// By which the log tells of it, and its answer.
  let id: String

  var isRead: Bool { method == "GET" || method == "HEAD" }

  init(_ head: HTTPRequest) {
    method = head.method.rawValue
    target = head.path
    host = head.authority
    origin = head.headerFields[.origin]
    fetchSite = head.headerFields[.secFetchSite]
    fetchMode = head.headerFields[.secFetchMode]
    id = RequestID.of(head.headerFields[.requestID])
  }

  init(
    method: HTTPMethod, target: String, host: String?, origin: String?, fetchSite: String?, fetchMode: String?,
    id: String?
  ) {
    self.method = method.rawValue
    self.target = target
    self.host = host
    self.origin = origin
    self.fetchSite = fetchSite
    self.fetchMode = fetchMode
    self.id = RequestID.of(id)
  }
}

extension HTTPField.Name {
  fileprivate static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
  fileprivate static let secFetchMode = HTTPField.Name("Sec-Fetch-Mode")!
  fileprivate static let requestID = HTTPField.Name(RequestID.field)!
}
