import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("keeps what the README shows")
  struct TourTests {
    @Test("the tour works as it stands, and prints what it shows")
    func tour() async throws {
      let blocks = try MarkdownBlock.all(of: "README.md")
      #expect(blocks.count { $0.language == "text" } >= 4)
      try await withDatabase { path in
        let folder = (path as NSString).deletingLastPathComponent
        let server = try ServerProcess(database: folder + "/docket.db")
        let binaries = (Docket.path as NSString).deletingLastPathComponent
        let environment = [
          "PATH": binaries + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
          "DOCKET_PORT": "\(server.port)",
        ]
        for (block, shown) in zip(blocks, blocks.dropFirst()) where shown.language == "text" {
          // The README's server has the port that a user's has.
          let text = block.text.replacingOccurrences(of: "12000", with: "\(server.port)")
          let program = block.language == "python" ? ["python3", "-c", text] : ["sh", "-ec", text]
          let run = try ChildProcess(
            "/usr/bin/env", ["-C", folder] + program, environment: environment)
          #expect(run.waitForEnd() == .exited(0), "\(block.text): \(run.errorOutput)")
          #expect(run.remainingOutput.trimmingCharacters(in: .newlines) == shown.text, "\(block.text)")
        }
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
