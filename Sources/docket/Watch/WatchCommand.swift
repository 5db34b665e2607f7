import ArgumentParser
import DocketClient
import NIOPosix

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Print changes of documents as they happen.",
    discussion: """
      A line a change: its sequence, what it was (created, updated, deleted, expired; with --where also left), the path, and \
      the document as it is then. It begins now, or behind a change with --since, or with all documents as they are with \
      --snapshot, and goes on until it is ended. When the server goes away it waits until it is back and goes on where it \
      was. --timeout is about connecting.

      With --exec nothing is printed, but a command is run for each change, with the change as JSON on its standard input \
      and DOCKET_SEQUENCE, DOCKET_CHANGE and DOCKET_PATH in its environment. The next change waits until it has ended. \
      When it fails, so does the watch.

        docket watch /notes/ --since 17 --where '{"status": "open"}'
        docket watch /_changes --exec 'curl -fsS --json @- https://example.org/hook'
      """)

  @Argument(help: "A document such as /notes/42, a collection such as /notes/, or /_changes for the whole database.")
  var path: String

  @Option(help: ArgumentHelp("Begin behind this change; 0 is the beginning.", valueName: "sequence"))
  var since: Int64?

  @Flag(help: "Begin with the documents as they are.")
  var snapshot = false

  @Option(help: ArgumentHelp("Only documents for which this holds: JSON text, or @file.", valueName: "json"))
  var `where`: String?

  @Flag(help: "Collections below it, too.")
  var recursive = false

  @Option(help: ArgumentHelp("End after so many changes.", valueName: "count"))
  var limit: Int?

  @Flag(help: "Print each change as the server tells it, and a line when all there was is told.")
  var json = false

  @Option(help: ArgumentHelp("Run this for each change, with /bin/sh.", valueName: "command"))
  var exec: String?

  @Option(
    help: ArgumentHelp(
      "How often the server shows that it is there; a connection silent for three times as long counts as lost.",
      valueName: "seconds"))
  var heartbeat = 15

  @OptionGroup var server: ServerOptions

  func validate() throws {
    let isInDatabase = path.utf8.starts(with: "/".utf8) && !path.utf8.starts(with: "/_".utf8)
    guard path == Self.database || isInDatabase && !path.utf8.contains(UInt8(ascii: "?")) else {
      throw ValidationError(
        "the path must be a document's such as /notes/42, a collection's such as /notes/, or \(Self.database)")
    }
    guard !recursive || path.utf8.last == UInt8(ascii: "/") else {
      throw ValidationError("--recursive goes with a collection, such as /notes/")
    }
    if since != nil, snapshot { throw ValidationError("give --since or --snapshot, not both") }
    if let since, since < 0 { throw ValidationError("--since must be 0 or more") }
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    if exec?.isEmpty == true { throw ValidationError("--exec is empty; it takes a command for the shell") }
    if json, exec != nil { throw ValidationError("--json is about what is printed; with --exec nothing is") }
    guard (1...3600).contains(heartbeat) else { throw ValidationError("--heartbeat must be from 1 to 3600") }
  }

  func run() async throws {
    let options = try options
    let output: WatchOutput = exec.map { .command(WatchTrigger(command: $0)) } ?? (json ? .json : .text)
    try await server.withClient { client in
      let telling = Task { try await output.tell(client.watch(scope, options), of: client.address, limit: limit) }
      if exec == nil, !StandardStream.output.isTerminal {
        // `docket watch … | head -1`: the next change may be far.
        NIOThreadPool.singleton.submit { _ in
          StandardStream.output.waitForReaderToGo()
          telling.cancel()
        }
      }
      do {
        try await telling.value
      } catch is CancellationError {
        throw ExitCode.failure
      }
    }
  }

  private static let database = "/_changes"

  private var scope: WatchScope {
    if path == Self.database { return .database }
    return path.utf8.last == UInt8(ascii: "/") ? .collection(path, isRecursive: recursive) : .document(path)
  }

  private var options: WatchOptions {
    get throws {
      WatchOptions(
        from: snapshot ? .snapshot : since.map { .since($0) } ?? .now,
        where: try self.where.map { .json(try DocumentInput.document($0, of: "the condition")) },
        heartbeatSeconds: heartbeat, maximumFirstAttempts: 1, tellsInterruptions: true)
    }
  }
}
