import DocketWire
import HTTPTypes

/// Which web pages and which names of this server are taken: browsers make requests for every page that a person has open.
///
/// - A name that is not this server's in `Host` may be a page's own that now leads here (DNS rebinding); so only addresses,
///   `localhost` and names that an operator has allowed are taken.
/// - `Origin` says which page a browser asks for. It must be one that this server served, or one that is allowed.
public struct WebRules: Sendable, Equatable {
  /// Names besides addresses and `localhost` under which this server is reached, without a port, in lower case.
  public var hosts: Set<String>
  /// Origins whose pages may use this server, such as `https://app.example`.
  public var origins: Set<String>

  public init(hosts: Set<String> = [], origins: Set<String> = []) {
    self.hosts = hosts
    self.origins = origins
  }

  /// Why a request is not taken; nil: it is.
  func refusal(_ request: RequestOutline, isSecure: Bool) -> HTTPProblem? {
    guard let host = request.host, let name = Self.name(in: host) else {
      return HTTPProblem(.badRequest, "invalid_host", "A request needs one 'Host', such as localhost:8080.")
    }
    guard Self.isAddress(name) || name == "localhost" || hosts.contains(name) else {
      return HTTPProblem(
        .misdirectedRequest, "unknown_host",
        "This server is not known as '\(name.prefix(100))'; ask it by its address or as localhost, or start it with --http-allow-host NAME."
      )
    }
    guard let origin = request.origin else {
      // No browser at all, a link that a person follows, or what a page takes in without asking, as an image.
      return request.fetchSite == "cross-site" && (!request.isRead || (request.fetchMode ?? "navigate") != "navigate")
        ? .foreignOrigin("another site") : nil
    }
    guard isSame(origin, host, isSecure) || origins.contains(origin) else {
      return .foreignOrigin("'\(origin.prefix(100))'")
    }
    return nil
  }

  /// The origin that is to be told that it may read the answer; nil: there is none, or it need not be told.
  func allowedOrigin(_ request: RequestOutline) -> String? {
    request.origin.flatMap { origins.contains($0) ? $0 : nil }
  }

  private func isSame(_ origin: String, _ host: String, _ isSecure: Bool) -> Bool {
    origin.lowercased() == (isSecure ? "https://" : "http://") + host.lowercased()
  }

  /// The name or address in front of the port, in lower case; nil for what is neither.
  private static func name(in host: String) -> String? {
    let host = host.lowercased()
    guard !host.isEmpty, !host.contains("@"), !host.contains(",") else { return nil }
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]"), isPort(host[host.index(after: end)...]) else { return nil }
      return String(host[...end])
    }
    let colon = host.firstIndex(of: ":") ?? host.endIndex
    guard colon > host.startIndex, isPort(host[colon...]) else { return nil }
    // A point at the end says that the name is whole.
    let name = host[..<colon]
    return String(name.hasSuffix(".") ? name.dropLast() : name)
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.isEmpty || (text.first == ":" && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) })
  }

  /// Whether it is an address: no name that leads elsewhere tomorrow.
  private static func isAddress(_ name: String) -> Bool {
    if name.hasPrefix("[") { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  // MARK: What browsers are told

  /// What a browser asks before it makes a request for another origin's page (https://fetch.spec.whatwg.org/#http-cors-protocol).
  static func isPreflight(_ head: HTTPRequest) -> Bool {
    head.method == .options && head.headerFields[.origin] != nil
      && head.headerFields[.accessControlRequestMethod] != nil
  }

  static let preflightFields = Headers([
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, If-Match, If-None-Match, Expires-In, Idempotency-Key, Prefer, Last-Event-ID, X-Request-Id"
    ),
    ("Access-Control-Max-Age", "600"),
  ])

  static let exposedFields =
    "ETag, Last-Modified, Location, Retry-After, Expires-At, Idempotency-Replayed, Allow, X-Request-Id"
}

extension HTTPProblem {
  fileprivate static func foreignOrigin(_ origin: String) -> HTTPProblem {
    HTTPProblem(
      .forbidden, "foreign_origin",
      "Pages of \(origin) may not use this server; if they should, start it with --http-allow-origin ORIGIN.")
  }
}
