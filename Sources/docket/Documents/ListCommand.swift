import ArgumentParser

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print the documents of a collection.",
    discussion: """
      One page, as the server tells it: its 'next' is the cursor of the following page, given with --after. With --all \
      every document, one a line in a pipe; line breaks inside a document are printed as spaces.
      """)

  @Argument(help: "The collection, such as /notes/.")
  var path: String

  @Option(help: ArgumentHelp("How many documents at most; with --all, how many at once.", valueName: "count"))
  var limit: Int?

  @Option(help: ArgumentHelp("The 'next' of the page before.", valueName: "cursor"))
  var after: String?

  @Flag(help: "Go on to the last page.")
  var all = false

  @OptionGroup var moment: MomentOptions
  @OptionGroup var server: ServerOptions

  func validate() throws {
    guard path.utf8.last == UInt8(ascii: "/") else {
      throw ValidationError("a collection's path ends with a slash, such as /notes/; docket get prints a document")
    }
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
  }

  func run() async throws {
    try await server.withClient { client in
      guard all else {
        return try DocumentOutput.write(try await client.list(path, limit: limit, after: after, asOf: moment.asOf).json)
      }
      for try await item in client.documents(in: path, pageSize: limit, after: after, asOf: moment.asOf) {
        try DocumentOutput.writeLine(item.json)
      }
    }
  }
}
