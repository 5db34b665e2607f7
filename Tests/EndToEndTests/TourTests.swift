import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("keeps what the pages show")
  struct TourTests {
    @Test(
      "every command of a page works, in its order, and prints what the page shows",
      arguments: [("README.md", 5), ("docs/CLI.md", 12), ("docs/OPERATIONS.md", 1), ("docs/PROTOCOL.md", 5)])
    func tour(_ page: String, outputs: Int) async throws {
      let blocks = try MarkdownBlock.all(of: page)
      #expect(blocks.count { $0.language == "text" } == outputs)
      try await withDatabase { path in
        let folder = (path as NSString).deletingLastPathComponent
        let server = try ServerProcess(database: folder + "/docket.db")
        let binaries = (Docket.path as NSString).deletingLastPathComponent
        let environment = [
          "PATH": binaries + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
          "DOCKET_PORT": "\(server.port)",
        ]
        for (block, shown) in zip(blocks, blocks.dropFirst()) where shown.language == "text" {
          // The page's server has the port that a user's has.
          let text = block.text.replacingOccurrences(of: "12000", with: "\(server.port)")
          let program = block.language == "python" ? ["python3", "-c", text] : ["sh", "-ec", text]
          let run = try ChildProcess("env", ["-C", folder] + program, environment: environment)
          #expect(run.waitForEnd() == .exited(0), "\(block.text): \(run.errorOutput)")
          #expect(run.remainingOutput.trimmingCharacters(in: .newlines) == shown.text, "\(block.text)")
        }
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
