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
    let (list, place, isOpen) = try await tokens.withKeeper { keeper in
      let list = try await keeper.list()
      return (list, keeper.place, list.isEmpty ? try await keeper.isOpen() : false)
    }
    if json {
      for token in list { try DocumentOutput.writeRaw(token.json(at: .now)) }
    } else if list.isEmpty {
      let consequence =
        isOpen ? ", so it takes every request" : " any more; a server answers nobody there without a new one"
      try StandardStream.error.writeLine("docket: \(place) has no tokens\(consequence)")
    } else {
      for line in TokenTable(list, now: .now).lines { try StandardStream.output.writeLine(line) }
    }
  }
}
