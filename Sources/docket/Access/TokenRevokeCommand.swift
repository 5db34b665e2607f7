import ArgumentParser

struct TokenRevokeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Make an access token worthless, for ever.",
    discussion:
      "Requests with it are answered 401 from then on, and its watches end: at once through the server, within a second by the file."
  )

  @Argument(help: "Its name, or its id.")
  var name: String

  @OptionGroup var tokens: TokenOptions

  func run() async throws {
    let name = name
    try await tokens.withKeeper { keeper in
      guard try await keeper.revoke(name) else {
        throw CommandFailure("\(keeper.place) has no token '\(name)' that is not revoked already")
      }
    }
    try StandardStream.output.writeLine("\(name) is revoked.")
  }
}
