import ArgumentParser
import DocketSQLite

struct ResetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "Remove the database with all documents and history, and make an empty one.",
    discussion: """
      It refuses while a server, or any other process, has the file open, and refuses a file that is not Docket's. Access tokens stay, \
      so that whoever was shut out stays shut out; with --tokens they go as well, and the server takes every request again.
      """)

  @OptionGroup var misplaced: MisplacedFile
  @OptionGroup var options: DatabaseOptions

  @Flag(help: "Remove the access tokens as well: a server on it takes every request until there is one again.")
  var tokens = false

  func run() throws {
    try misplaced.refuse()
    let outcome: DatabaseReset.Outcome
    do {
      outcome = try DatabaseReset.reset(options.database, keepsTokens: !tokens)
    } catch {
      throw CommandFailure("\(error)")
    }
    for line in outcome.lines { try StandardStream.output.writeLine(line) }
  }
}

extension DatabaseReset.Outcome {
  var lines: [String] {
    var lines = [isNew ? "There was no \(path); it is there now, and empty." : "\(path) is empty."]
    let option = "--database \(ShellWord.quoted(path))"
    if keptTokens > 0 {
      lines.append(
        "Its access tokens have stayed, \(keptTokens) with those that were revoked: docket token list \(option)")
    }
    if removedTokens != 0 {
      let count = removedTokens.map { "\($0) are gone" } ?? "are gone, if there were any"
      lines.append(
        """
        Its access tokens \(count): a server on it takes every request, until there is one again: \
        docket token create NAME --allow RULE \(option)
        """)
    }
    return lines
  }
}
