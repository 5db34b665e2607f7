import DocketConsole
import HTTPTypes
import NIOCore

/// The console: pages that a browser shows, which use this very server as every client does.
extension HTTPSite {
  private static let consolePath = "/_console/"
  private static let consoleMethods = "GET, HEAD, OPTIONS"

  static func isOfConsole(_ path: some StringProtocol) -> Bool {
    path == consolePath.dropLast() || path.hasPrefix(consolePath)
  }

  /// nil for a path that is not the console's.
  func console(_ head: HTTPRequest) -> HTTPAnswer? {
    let path = (head.path ?? "/").prefix { $0 != "?" }
    guard Self.isOfConsole(path) else { return nil }
    guard head.method == .get || head.method == .head else {
      var answer = HTTPAnswer(
        HTTPProblem(.methodNotAllowed, "method_not_allowed", "The console's pages have the methods GET and HEAD."))
      answer.fields[.allow] = Self.consoleMethods
      return answer
    }
    guard path.hasPrefix(Self.consolePath) else {
      return HTTPAnswer(.permanentRedirect, [.location: Self.consolePath])
    }
    let name = path.dropFirst(Self.consolePath.count)
    guard let file = ConsoleFile.named(name.isEmpty ? "index.html" : String(name)) else {
      return HTTPAnswer(
        HTTPProblem(.notFound, "unknown_resource", "The console has no such page; it begins at \(Self.consolePath)."))
    }
    let isKnown = head.headerFields[values: .ifNoneMatch].contains { tags in
      tags.split(separator: ",").contains { $0.trimmingSpace == file.tag || $0.trimmingSpace == "W/" + file.tag }
    }
    var fields = Self.consoleFields
    fields[.eTag] = file.tag
    if isKnown { return HTTPAnswer(.notModified, fields) }
    fields[.contentType] = file.contentType
    return HTTPAnswer(.ok, fields, .bytes(ByteBuffer(bytes: file.bytes)))
  }

  /// The pages may run the console's own scripts, ask this server, and nothing else. Trusted types that nobody can make keep
  /// text from becoming HTML (https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/trusted-types/).
  private static let consoleFields: HTTPFields = [
    .contentSecurityPolicy:
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    HTTPField.Name("Referrer-Policy")!: "no-referrer",
    HTTPField.Name("Cross-Origin-Opener-Policy")!: "same-origin",
    HTTPField.Name("Cross-Origin-Resource-Policy")!: "same-origin",
  ]
}

extension Substring {
  fileprivate var trimmingSpace: Substring {
    var text = drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
