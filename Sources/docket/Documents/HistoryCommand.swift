import ArgumentParser
import DocketClient

struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Print the versions of a document, newest first.",
    discussion: """
      One a line: its revision, time, kind and size in bytes. With --all every version that is kept; otherwise the newest, \
      as many as --limit says.
      """)

  @Argument(help: "The document, such as /notes/42. It may have been deleted.")
  var path: String

  @Option(help: ArgumentHelp("How many versions at most; with --all, how many at once.", valueName: "count"))
  var limit: Int?

  @Flag(help: "Go on to the oldest version.")
  var all = false

  @OptionGroup var server: ServerOptions

  func validate() throws {
    guard path.utf8.last != UInt8(ascii: "/"), !path.utf8.starts(with: "/_".utf8),
      !path.utf8.contains(UInt8(ascii: "?"))
    else { throw ValidationError("the path must be a document's alone, such as /notes/42") }
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
  }

  func run() async throws {
    try await server.withClient { client in
      var cursor: String?
      repeat {
        let page = try await client.history(of: path, limit: limit, after: cursor)
        for version in page.versions { try DocumentOutput.writeLine(version.json) }
        cursor = page.next
      } while all && cursor != nil
    }
  }
}
