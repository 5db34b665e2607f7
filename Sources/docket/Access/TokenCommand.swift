import ArgumentParser
import DocketSQLite

struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Make, list and revoke access tokens.",
    discussion: """
      A server without tokens takes every request; once its database has had one, each request needs a right. With --database \
      FILE the commands work on the file itself, whether a server has it open or not: so the first token is made, and one \
      replaced that was lost. Otherwise they ask the running server, with a token that is an admin's.

        (umask 077; docket token create root --allow admin --database docket.db > root.token)
        export DOCKET_TOKEN=$(cat root.token)
        docket token create ci --allow read:/notes/ --allow write:/notes/ --expires 90d
        docket token list
        docket token revoke ci
      """,
    subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self])
}

/// Which tokens a command works on.
struct TokenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The database file, to work on it without a server or beside one.", valueName: "path"))
  var database: String?

  @OptionGroup var server: ServerOptions

  /// - Parameters:
  ///   - makesFile: whether there may be no database file yet.
  ///   - maximum: how many tokens of a file may hold at once.
  func withKeeper<Value: Sendable>(
    makesFile: Bool = false, maximum: Int = TokenLimits().holding,
    _ body: @Sendable (any TokenKeeper) async throws -> Value
  ) async throws -> Value {
    if let database { return try await body(try FileTokens(path: database, makesFile: makesFile, maximum: maximum)) }
    return try await server.withClient { try await body(ServerTokens(client: $0)) }
  }
}
