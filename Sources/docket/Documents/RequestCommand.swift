import ArgumentParser
import DocketWire

struct RequestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "request", abstract: "Send a frame as it is, and print the answer as it comes.",
    discussion: """
      The frame is not checked, so that the server can be seen to refuse it. The exit status is that of the answer's code.

        docket request '{"method": "GET", "path": "/list"}'
      """)

  @Argument(help: "The frame: text, @file, or - for standard input, which is the default.")
  var frame: String?

  @OptionGroup var server: ServerOptions

  func run() async throws {
    let frame = try DocumentInput.text(frame, of: "the frame")
    let raw = try await server.withClient { try await $0.send(frame) }
    try DocumentOutput.writeRaw(raw)
    do {
      try CommandFailure.check(try Answer.parse(raw))
    } catch let error as AnswerError {
      throw CommandFailure(.badAnswer(reason: "\(error)"))
    }
  }
}
