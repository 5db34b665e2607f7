import ArgumentParser
import Glibc

struct SQLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sql", abstract: "Open the database with the sqlite3 command, as suits a file that is being served.",
    discussion: """
      Automatic checkpoints are off, since the server makes them, and a statement waits 5 seconds for the server's lock. \
      Read and write through the view 'documents':

        docket sql "SELECT id, data FROM documents WHERE collection = '/notes/'"

      The exit status is that of sqlite3.
      """)

  @Argument(help: "The statement to run. Without one, sqlite3 asks for statements.")
  var statement: String?

  @Argument(help: .hidden)
  var more: [String] = []

  @OptionGroup var options: DatabaseOptions

  func run() throws {
    guard more.isEmpty else {
      throw CommandFailure(
        "a statement is one argument, in quotes, and the file is named with --database", status: .usage)
    }
    if let statement, access(statement, F_OK) == 0 {
      throw CommandFailure(
        "\(statement) is a file, and no statement: docket sql --database \(ShellWord.quoted(statement))", status: .usage
      )
    }
    try SQLiteShell.run(database: options.database, statement: statement)
  }
}
