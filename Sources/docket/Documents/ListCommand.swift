import ArgumentParser
import DocketClient
import DocketStore

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
      try await Self.printAll(query, in: scope, client)
    }
  }

  /// Prints every document from the query's cursor on. A warning of the server's is told once: it is about the query.
  private static func printAll(_ query: DocumentQuery, in scope: QueryScope, _ client: DocketClient) async throws {
    var query = query
    var isWarned = false
    repeat {
      let page = try await client.query(query, in: scope)
      if !isWarned, let warning = warning(of: page) {
        isWarned = true
        try StandardStream.error.writeLine("docket: warning: \(warning)")
      }
      for item in page.items { try DocumentOutput.writeLine(item.json) }
      query.cursor = page.next
    } while query.cursor != nil
  }

  private static func warning(of page: DocumentPage) -> String? {
    page.json.withUnsafeReadableBytes { text in
      guard case .string(let detail) = FieldPath(unchecked: ["warning", "detail"]).value(in: text) else { return nil }
      return String(decoding: detail, as: UTF8.self)
    }
  }
}
