import ArgumentParser

struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Print a document.",
    discussion:
      "On a terminal it is laid out for reading; in a pipe it comes byte for byte, with a line break behind it.")

  @Argument(help: "The document, such as /notes/42.")
  var path: String

  @OptionGroup var server: ServerOptions

  func run() async throws {
    try DocumentOutput.write(try await server.withClient { try await $0.get(path) })
  }
}
