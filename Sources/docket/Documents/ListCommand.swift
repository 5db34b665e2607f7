import ArgumentParser
import DocketClient

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print the documents of a collection.",
    discussion: """
      One page, as the server tells it: its 'next' is the cursor of the following page, given with --after. With --all \
      every document, one a line in a pipe; line breaks inside a document are printed as spaces.

        docket list /notes/ --where '{"status": "open", "priority": {"$gte": 2}}' --sort=-priority,created --fields title
      """)

  @Argument(help: "The collection, such as /notes/, or /_documents for the whole database.")
  var path: String

  @Option(help: ArgumentHelp("How many documents at most; with --all, how many at once.", valueName: "count"))
  var limit: Int?

  @Option(help: ArgumentHelp("The 'next' of the page before.", valueName: "cursor"))
  var after: String?

  @Flag(help: "Go on to the last page.")
  var all = false

  @OptionGroup var query: QueryOptions
  @OptionGroup var moment: MomentOptions
  @OptionGroup var server: ServerOptions

  func validate() throws {
    guard path.utf8.last == UInt8(ascii: "/") || path == "/_documents" else {
      throw ValidationError("a collection's path ends with a slash, such as /notes/; docket get prints a document")
    }
    if let limit, limit < (query.count ? 0 : 1) { throw ValidationError("--limit must be 1 or more") }
    if all && (query.count || query.explain) {
      throw ValidationError("--count and --explain tell something about a page, which --all does not print")
    }
  }

  func run() async throws {
    let query = try query.query(limit: limit, after: after, asOf: moment.asOf)
    let scope = path == QueryScope.database.path ? QueryScope.database : .collection(path)
    try await server.withClient { client in
      guard all else { return try DocumentOutput.write(try await client.query(query, in: scope).json) }
      for try await item in client.results(of: query, in: scope) {
        try DocumentOutput.writeLine(item.json)
      }
    }
  }
}
