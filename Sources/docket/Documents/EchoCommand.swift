import ArgumentParser

struct EchoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo", abstract: "Send a value there and back.", discussion: documentDiscussion)

  @Argument(help: documentHelp)
  var document: String?

  @OptionGroup var server: ServerOptions

  func run() async throws {
    let data = try DocumentInput.document(document)
    try DocumentOutput.write(try await server.withClient { try await $0.echo(data) })
  }
}
