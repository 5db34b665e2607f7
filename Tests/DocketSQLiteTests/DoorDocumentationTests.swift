import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("docs/SQL.md")
struct DoorDocumentationTests {
  /// A fenced block of the page: its language and its text.
  private struct Block {
    let language: String
    let text: String
  }

  private func blocks() throws -> [Block] {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docs/SQL.md")
    var blocks: [Block] = []
    var language: String?
    var lines: [Substring] = []
    for line in try String(contentsOf: page, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false) {
      if let open = language {
        if line == "```" {
          blocks.append(Block(language: open, text: lines.joined(separator: "\n")))
          language = nil
        } else {
          lines.append(line)
        }
      } else if line.hasPrefix("```") {
        language = String(line.dropFirst(3))
        lines = []
      }
    }
    #expect(language == nil, "a block is not closed")
    return blocks
  }

  @Test("every command works, in the order of the page, and prints what the page shows")
  func commands() async throws {
    let blocks = try blocks()
    #expect(blocks.count { $0.language == "sh" } >= 10)
    #expect(Set(blocks.map(\.language)) == ["sh", "text"])
    try await TemporaryDatabase.use { path throws in
      _ = try DatabaseFile.open(path)
      let directory = (path as NSString).deletingLastPathComponent
      for (index, block) in blocks.enumerated() where block.language == "sh" {
        let outcome = try SQLiteCommand.shell(block.text, in: directory)
        #expect(outcome.status == 0 && outcome.error == "", "\(block.text): \(outcome.error)")
        if index + 1 < blocks.count, blocks[index + 1].language == "text" {
          #expect(outcome.output == blocks[index + 1].text + "\n", "\(block.text)")
        }
      }
    }
  }
}
