import Foundation
import Testing

@testable import docket

@Suite("The token of a command")
struct GivenTokenTests {
  private func withFile<Value>(_ text: String, _ body: (String) throws -> Value) throws -> Value {
    let path = "/tmp/docket-token-\(UUID().uuidString)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    chmod(path, 0o600)
    return try body(path)
  }

  @Test("comes from the environment, or rather from a file, whose line break is none of it")
  func sources() throws {
    #expect(try GivenToken.find(file: nil, environment: [:]) == nil)
    #expect(try GivenToken.find(file: nil, environment: ["DOCKET_TOKEN": ""]) == nil)
    #expect(try GivenToken.find(file: nil, environment: ["DOCKET_TOKEN": " docket_a_b\n"]) == "docket_a_b")
    try withFile("docket_f_-_=\r\n") { (path) throws in
      #expect(try GivenToken.find(file: path, environment: [:]) == "docket_f_-_=")
      #expect(try GivenToken.find(file: path, environment: ["DOCKET_TOKEN": "docket_a_b"]) == "docket_f_-_=")
    }
  }

  @Test("is read from its file once, which may be a pipe")
  func pipe() throws {
    var ends: [Int32] = [0, 0]
    try #require(Foundation.pipe(&ends) == 0)
    defer { close(ends[0]) }
    #expect(write(ends[1], "docket_p_q\n", 11) == 11)
    close(ends[1])
    for _ in 0..<2 {
      #expect(try GivenToken.find(file: "/dev/fd/\(ends[0])", environment: [:]) == "docket_p_q")
    }
  }

  @Test(
    "is refused where it is no token, in words that do not tell what it is",
    arguments: ["docket_x secret", "docket_x\u{0}secret", "docket_\"secret", "docket_sécret", "\u{1}"])
  func refusals(_ text: String) throws {
    let variable = #expect(throws: CommandFailure.self) {
      try GivenToken.find(file: nil, environment: ["DOCKET_TOKEN": text])
    }
    #expect(variable?.description.contains("DOCKET_TOKEN holds no token") == true)
    #expect(variable?.status == .usage)
    let file = try withFile(text) { path in
      #expect(throws: CommandFailure.self) { try GivenToken.find(file: path, environment: [:]) }
    }
    #expect(file?.description.contains("holds no token") == true)
    for error in [variable, file] { #expect(error?.description.contains("cret") == false) }
  }

  @Test("is refused where its file is empty, too long, or not there")
  func files() throws {
    for text in ["", "\n", String(repeating: "a", count: 5000)] {
      let error = try withFile(text) { path in
        #expect(throws: CommandFailure.self) { try GivenToken.find(file: path, environment: [:]) }
      }
      #expect(error?.description.contains("holds no token") == true)
    }
    let missing = #expect(throws: CommandFailure.self) { try GivenToken.find(file: "/nowhere/token", environment: [:]) }
    #expect(missing?.description == "cannot read the token in /nowhere/token: No such file or directory")
  }
}
