import DocketConsole
import DocketWire
import HTTPTypes

/// The console: pages that a browser shows, which use this very server as every client does.
extension HTTPSite {
  private static let consolePath = "/_console/"
  private static let consoleFiles = Dictionary(
    uniqueKeysWithValues: ConsoleFile.all.map { ($0.name, EmbeddedFile($0.bytes, contentType: $0.contentType)) })

  static func isOfConsole(_ path: some StringProtocol) -> Bool {
    path == consolePath.dropLast() || path.hasPrefix(consolePath)
  }

  /// nil for a path that is not the console's.
  func console(_ head: HTTPRequest) -> HTTPAnswer? {
    let path = (head.path ?? "/").prefix { $0 != "?" }
    guard Self.isOfConsole(path) else { return nil }
    guard EmbeddedFile.isRead(head) else { return EmbeddedFile.notAllowed }
    guard path.hasPrefix(Self.consolePath) else {
      return HTTPAnswer(.permanentRedirect, Headers([("Location", Self.consolePath)]))
    }
    let name = path.dropFirst(Self.consolePath.count)
    guard let file = Self.consoleFiles[name.isEmpty ? "index.html" : String(name)] else {
      return HTTPAnswer(
        HTTPProblem(.notFound, "unknown_resource", "The console has no such page; it begins at \(Self.consolePath)."))
    }
    return file.answer(head, Self.consoleFields)
  }

  /// The pages may run the console's own scripts, ask this server, and nothing else. Trusted types that nobody can make keep
  /// text from becoming HTML (https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/trusted-types/).
  private static let consoleFields = Headers([
    (
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
  ])
}
