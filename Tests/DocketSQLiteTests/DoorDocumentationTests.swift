import DocketTestSupport
import Foundation
import Testing

@testable import DocketSQLite

@Suite("docs/SQL.md")
struct DoorDocumentationTests {
  @Test("every command works, in the order of the page, and prints what the page shows")
  func commands() async throws {
    let blocks = try MarkdownBlock.all(of: "docs/SQL.md")
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
