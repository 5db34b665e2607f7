import ArgumentParser
import DocketSQLite
import DocketStore
import Glibc

struct TokenCreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make an access token, and print it.",
    discussion: """
      The token alone goes to standard output, once: it is kept nowhere. What it is is told on standard error. A rule is \
      read:PREFIX, write:PREFIX, stats, or admin, which is everything; a prefix is a collection such as /notes/ with all that \
      is nested in it, a document such as /notes/42, or / for all.

        DOCKET_TOKEN=$(docket token create ci --allow read:/notes/ --allow stats --expires 90d)
      """)

  @Argument(help: "What to call it: letters, digits, and . _ -")
  var name: String

  @Option(
    help: ArgumentHelp("What it allows, such as read:/notes/; may be given several times.", valueName: "rule"),
    transform: { text in try AccessRule(text) })
  var allow: [AccessRule] = []

  @Option(
    help: ArgumentHelp(
      "How long it lives, such as 90d, 12h, 30m or 45s; for ever if not given.", valueName: "duration"),
    transform: DurationText.init(text:))
  var expires: DurationText?

  @Option(help: "With --database: how many tokens may hold at once; one more is not made.")
  var maxTokens = TokenLimits().holding

  @OptionGroup var tokens: TokenOptions

  func validate() throws {
    try check("--max-tokens", maxTokens, 1...1_000_000)
    guard !allow.isEmpty else { throw ValidationError("say what it allows, such as --allow read:/notes/") }
  }

  func run() async throws {
    let missing = tokens.database.flatMap { access($0, F_OK) == 0 ? nil : $0 }
    let order = TokenOrder(name: name, rules: allow, lifetime: expires)
    try await tokens.withKeeper(makesFile: true, maximum: maxTokens) { keeper in
      let isFirst = try await keeper.isOpen()
      let (token, text) = try await keeper.add(order)
      do {
        try StandardStream.output.writeLine(text)
      } catch {
        // Nobody has seen it, and nobody will.
        let isRevoked = (try? await keeper.revoke(token.id)) == true
        guard isRevoked, let failure = error as? CommandFailure else { throw error }
        throw CommandFailure("\(failure); the token that nobody saw is revoked again")
      }
      if let missing { try? StandardStream.error.writeLine("docket: there was no \(missing); it was made") }
      for line in TokenCreation(token: token, isFirst: isFirst, place: keeper.place).lines {
        // It has worked, whoever reads this.
        try? StandardStream.error.writeLine("docket: \(line)")
      }
    }
  }
}

/// What is told of a token that was made.
struct TokenCreation {
  let token: ListedToken
  /// Whether there was none before it.
  let isFirst: Bool
  let place: String

  var lines: [String] {
    let end = token.expires.map { "until \(TokenTable.minute($0))" } ?? "for ever"
    var lines = [
      "this is token '\(token.name)' (\(token.id)) of \(place): it allows \(token.rules.joined(separator: ", ")), \(end)",
      "it is shown only this once; keep it where others cannot read it, and use it by DOCKET_TOKEN or --token-file",
    ]
    if isFirst {
      lines.append(
        "it is the first: from now on the server answers nobody without a token but what docket serve --allow-anonymous allows"
      )
    }
    if isFirst, !token.rules.contains(AccessRule.admin.text) {
      lines.append("it is no admin's: further tokens can be made with --database FILE alone, until one is")
    }
    return lines
  }
}
