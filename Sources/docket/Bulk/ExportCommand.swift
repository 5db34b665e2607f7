import ArgumentParser
import DocketClient
import NIOCore

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write out documents, one a line, all of one moment.",
    discussion: """
      Each line is {"path", "revision", "created", "updated", "expires", "document"}; docket import puts it back. A document \
      that holds line breaks stands as a string in "text". With tokens it takes one that may read what is asked for, and stats.

        docket export --output all.ndjson
        docket export /notes/ --where '{"done": false}'
      """)

  @Argument(help: "The collection, such as /notes/; without it the whole database.")
  var path: String?

  @Flag(help: "Collections below it, too.")
  var recursive = false

  @Option(
    help: ArgumentHelp("Only documents for which this holds, such as '{\"done\": false}'.", valueName: "json"))
  var `where`: String?

  @Option(
    help: ArgumentHelp("Write to this file, which is there once it is whole; else standard output.", valueName: "path"))
  var output: String?

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var server: ServerOptions

  func validate() throws {
    guard path.map({ $0.utf8.last == UInt8(ascii: "/") }) ?? true else {
      throw ValidationError("a collection's path ends with a slash, such as /notes/; docket get prints a document")
    }
  }

  func run() async throws {
    let condition = try self.where.map { QueryCondition.json(try DocumentInput.document($0, of: "the condition")) }
    let query = DocumentQuery(where: condition, limit: 1000, isRecursive: recursive)
    let scope = path.map { QueryScope.collection($0) } ?? .database
    let (output, quiet) = (output, quiet)
    try await server.withClient { client in
      guard let output else {
        return try await Self.export(query, in: scope, from: client, isQuiet: quiet) { lines in
          try StandardStream.output.write(Array(lines.readableBytesView)[...])
        }
      }
      // So that what was begun is removed.
      StopSignal.watch()
      let file = try FileReplacement(path: output)
      try await Self.export(query, in: scope, from: client, isQuiet: quiet) { try file.write($0) }
      try file.finish()
    }
  }

  /// Fetches page by page, the next one while the last is written.
  static func export(
    _ query: DocumentQuery, in scope: QueryScope, from client: DocketClient, isQuiet: Bool,
    write: (ByteBuffer) throws -> Void
  ) async throws {
    var query = query
    // Pages of one revision are of one moment, whatever is written meanwhile.
    let revision = try await StopSignal.endsOnStop { try await client.newestRevision() }
    query.moment = .revision(revision)
    var progress = BulkProgress(isQuiet: isQuiet)
    var documents = 0
    var page = try await fetch(query, in: scope, from: client)
    while let next = page.next {
      query.cursor = next
      let request = query
      async let following = fetch(request, in: scope, from: client)
      try write(page.lines)
      documents += page.count
      try progress.show(bytes: 0, documents: documents)
      page = try await following
    }
    try write(page.lines)
    try progress.clear()
  }

  private static func fetch(
    _ query: DocumentQuery, in scope: QueryScope, from client: DocketClient
  ) async throws -> ExportPage {
    do {
      return try await StopSignal.endsOnStop { try ExportPage(data: try await client.page(of: query, in: scope)) }
    } catch DocketClientError.refused(let refusal) where refusal.error == "history_gone" {
      throw CommandFailure(
        "the moment of which this export is went from the history meanwhile; serve with more --history-days: \(refusal)"
      )
    }
  }
}
