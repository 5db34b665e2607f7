import ArgumentParser
import DocketService

struct TokenRevokeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Make an access token worthless, for ever.",
    discussion:
      "Requests with it are answered 401 from then on, and its watches end: at once through the server, within a second by the file."
  )

  @Argument(help: "Its name or its id; of its whole text the id is taken.")
  var name: String

  @OptionGroup var tokens: TokenOptions

  func run() async throws {
    // A secret goes no further than it must.
    let name = TokenText.nameOrID(name)
    try await tokens.withKeeper { keeper in
      guard try await keeper.revoke(name) else {
        throw CommandFailure("\(keeper.place) has no token '\(TokenText.masked(name))' that is not revoked already")
      }
    }
    try StandardStream.output.writeLine("\(name) is revoked.")
  }
}
