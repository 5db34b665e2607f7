/// What somebody may do: `read:/notes/`, `write:/inbox/`, `stats`, or `admin`, which is everything.
public enum AccessRule: Sendable, Equatable {
  /// The prefix as `PathPrefixes` takes it.
  case read(String)
  case write(String)
  /// The figures of the server.
  case stats
  /// Whatever there is to be done, settings, tokens and backups among it.
  case admin

  /// - Throws: where the text is no rule.
  public init(_ text: String) throws(AccessRuleError) {
    switch text {
    case "admin": self = .admin
    case "stats": self = .stats
    default:
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw AccessRuleError(text: text, reason: Self.forms) }
      let prefix = try Self.prefix(String(parts[1]), of: text)
      switch parts[0] {
      case "read": self = .read(prefix)
      case "write": self = .write(prefix)
      default: throw AccessRuleError(text: text, reason: Self.forms)
      }
    }
  }

  /// As it is written.
  public var text: String {
    switch self {
    case .read(let prefix): "read:\(prefix)"
    case .write(let prefix): "write:\(prefix)"
    case .stats: "stats"
    case .admin: "admin"
    }
  }

  private static let forms = "a rule is read:PREFIX, write:PREFIX, stats or admin, such as read:/notes/"
  /// The longest path that a document can have.
  private static let maximumBytes = 1024

  /// Checks a prefix by the grammar of paths. A single segment can only be a collection's.
  private static func prefix(_ prefix: String, of text: String) throws(AccessRuleError) -> String {
    func refuse(_ reason: String) -> AccessRuleError { AccessRuleError(text: text, reason: reason) }
    guard prefix.utf8.first == UInt8(ascii: "/") else { throw refuse("its prefix must begin with a slash") }
    guard prefix.utf8.count <= maximumBytes else { throw refuse("its prefix is longer than \(maximumBytes) bytes") }
    if prefix.utf8.count == 1 { return prefix }
    guard !prefix.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw refuse("its prefix holds control characters")
    }
    var segments = prefix.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if segments.last?.isEmpty == true { segments.removeLast() }
    for segment in segments where segment.isEmpty || segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8)
    {
      throw refuse("no segment of its prefix may be empty, . or ..")
    }
    guard segments.first?.first != UInt8(ascii: "_") else {
      throw refuse("names that begin with /_ are the service's own; admin and stats are the rules for them")
    }
    return segments.count == 1 && prefix.utf8.last != UInt8(ascii: "/") ? prefix + "/" : prefix
  }
}

/// Why a text is no rule: one line that says how to mend it.
public struct AccessRuleError: Error, Equatable, CustomStringConvertible {
  public let text: String
  public let reason: String

  public var description: String { "'\(text)' is no rule: \(reason)" }
}
