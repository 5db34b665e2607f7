import ArgumentParser

/// The one executable: its subcommands, and how it starts and ends.
@main
struct Docket: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "docket",
    abstract: "A small persistent document service on SQLite.",
    discussion: """
      Every option can also be set in the environment: --max-connections is DOCKET_MAX_CONNECTIONS. \
      What is given on the command line wins. An access token comes from DOCKET_TOKEN, or from the file that --token-file names.

      Exit status: 0 when it worked, 1 when it did not, 2 when the command line is wrong.
      """,
    version: DocketVersion.description,
    subcommands: [
      ServeCommand.self, GetCommand.self, PutCommand.self, PostCommand.self, PatchCommand.self, DeleteCommand.self,
      ListCommand.self, BatchCommand.self, HistoryCommand.self, RestoreCommand.self, DiffCommand.self,
      WatchCommand.self, StatsCommand.self, EchoCommand.self, RequestCommand.self, SettingsCommand.self,
      TokenCommand.self,
      ImportCommand.self, ExportCommand.self, BackupCommand.self, BenchCommand.self, SQLCommand.self, ResetCommand.self,
      CheckCommand.self, CompactCommand.self,
    ])

  /// What an error on the terminal begins with.
  static var _errorPrefix: String { "docket: " }

  static func main() async {
    StandardStream.occupyClosed()
    if let refusal = DescriptorLimit.refusal {
      try? StandardStream.error.writeLine("docket: \(refusal)")
      exitProcess(CommandFailure.Status.failure.rawValue)
    }
    do {
      let arguments = try ProcessEnvironment.arguments()
      let status = await CommandLineRun(root: Self.self).run(arguments, environment: ProcessEnvironment.variables())
      exitProcess(status)
    } catch {
      try? StandardStream.error.writeLine("docket: \(error)")
      exitProcess(error.status.rawValue)
    }
  }
}
