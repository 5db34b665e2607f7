import ArgumentParser
import DocketSQLite

struct ResetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "Remove the database with all documents and history, and make an empty one.",
    discussion:
      "It refuses while a server, or any other process, has the file open, and refuses a file that is not Docket's.")

  @OptionGroup var options: DatabaseOptions

  func run() throws {
    let path: String
    do {
      path = try DatabaseReset.reset(options.database)
    } catch {
      throw CommandFailure("\(error)")
    }
    try StandardStream.output.writeLine("\(path) is empty.")
  }
}
