import DocketStore
import DocketWire

/// The terms of a request, read from its headers.
extension WriteTerms {
  init(_ headers: Headers?) throws(ParameterError) {
    self.init()
    guard let headers, !headers.fields.isEmpty else { return }
    condition = try Condition.read(headers)
    isDryRun = headers.list("Prefer", contains: "dry-run")
    if let text = headers["Expires-In"] { lifetime = try Lifetime(seconds: text) }
  }
}

extension Lifetime {
  /// - Parameter text: seconds, or `never`.
  fileprivate init(seconds text: String) throws(ParameterError) {
    guard text != "never" else {
      self = .forever
      return
    }
    guard text.utf8.first != UInt8(ascii: "+"), let seconds = Int64(text),
      (1...Lifetime.maximumSeconds).contains(seconds)
    else {
      throw ParameterError(
        code: "invalid_expiry",
        detail:
          "Expires-In must be a whole number of seconds from 1 to \(Lifetime.maximumSeconds), or never; without it a document stays, or ends as 'expire' is set for its collection."
      )
    }
    self = .milliseconds(seconds * 1000)
  }
}

extension Condition {
  /// `If-Match` or `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2): `*`, or revisions, each with or without
  /// quotes, with commas between them.
  static func read(_ headers: Headers?) throws(ParameterError) -> Condition? {
    guard let headers, !headers.fields.isEmpty else { return nil }
    switch (headers["If-Match"], headers["If-None-Match"]) {
    case (nil, nil): return nil
    case ("*", nil): return .exists
    case (nil, "*"): return .absent
    // A weak tag never matches here, and as well as a strong one there.
    case (let tags?, nil): return .oneOf(try revisions(tags, weak: false))
    case (nil, let tags?): return .noneOf(try revisions(tags, weak: true))
    case (_?, _?): throw invalid("Send If-Match or If-None-Match, not both.")
    }
  }

  /// - Parameter countsWeak: whether a weak tag, such as a proxy makes of ours when it compresses, stands for its revision.
  private static func revisions(_ text: String, weak countsWeak: Bool) throws(ParameterError) -> [Revision] {
    let items = text.utf8.split(
      separator: UInt8(ascii: ","), maxSplits: Headers.maximumListed, omittingEmptySubsequences: false)
    guard items.count <= Headers.maximumListed else {
      throw invalid("If-Match and If-None-Match take \(Headers.maximumListed) revisions at most.")
    }
    var revisions: [Revision] = []
    for item in items {
      var item = item.drop { $0 == UInt8(ascii: " ") }
      while item.last == UInt8(ascii: " ") { item.removeLast() }
      let isWeak = item.starts(with: "W/\"".utf8)
      if isWeak { item = item.dropFirst(2) }
      if item.count > 2, item.first == UInt8(ascii: "\""), item.last == UInt8(ascii: "\"") {
        item = item.dropFirst().dropLast()
      }
      guard item.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(String(item) ?? "") else {
        throw invalid(
          "If-Match and If-None-Match take * or revisions such as \"17\": a document's ETag, as an answer gave it.")
      }
      if countsWeak || !isWeak { revisions.append(Revision(number)) }
    }
    return revisions
  }

  static func invalid(_ detail: String) -> ParameterError {
    ParameterError(code: "invalid_condition", detail: detail)
  }
}
