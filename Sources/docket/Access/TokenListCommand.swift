import ArgumentParser
import DocketService

struct TokenListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print the access tokens there are and were, the oldest first.",
    discussion: "The tokens themselves are kept nowhere: what is told is what they are called and what they allow.")

  @Flag(help: "Print a line of JSON for each.")
  var json = false

  @OptionGroup var tokens: TokenOptions

  func run() async throws {
    let (list, place) = try await tokens.withKeeper { (try await $0.list(), $0.place) }
    if json {
      for token in list { try DocumentOutput.writeRaw(token.json(at: .now)) }
    } else if list.isEmpty {
      try StandardStream.error.writeLine("docket: \(place) has no tokens, so it takes every request")
    } else {
      for line in TokenTable(list, now: .now).lines { try StandardStream.output.writeLine(line) }
    }
  }
}
