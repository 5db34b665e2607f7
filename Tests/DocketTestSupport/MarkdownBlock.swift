import Foundation

/// A fenced block of a page: its language and its text.
public struct MarkdownBlock: Sendable {
  public let language: String
  public let text: String

  public struct Unclosed: Error {}

  /// The blocks of a page of this project, in order.
  /// - Parameter path: counted from the folder of the package.
  public static func all(of path: String) throws -> [MarkdownBlock] {
    let package = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
    let page = try String(contentsOf: package.appendingPathComponent(path), encoding: .utf8)
    var blocks: [MarkdownBlock] = []
    var language: String?
    var lines: [Substring] = []
    for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
      if let open = language {
        if line == "```" {
          blocks.append(MarkdownBlock(language: open, text: lines.joined(separator: "\n")))
          language = nil
        } else {
          lines.append(line)
        }
      } else if line.hasPrefix("```") {
        language = String(line.dropFirst(3))
        lines = []
      }
    }
    guard language == nil else { throw Unclosed() }
    return blocks
  }
}
