import ArgumentParser

/// Which database a command works on.
struct DatabaseOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The database file.", valueName: "path"))
  var database = "docket.db"

  func validate() throws {
    guard !database.isEmpty else { throw ValidationError("--database is empty; name a file, such as docket.db") }
  }
}
