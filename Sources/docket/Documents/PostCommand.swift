import ArgumentParser

struct PostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "post", abstract: "Create a document under a new id.", discussion: documentDiscussion)

  @Argument(help: "The collection, such as /notes/.")
  var path: String

  @Argument(help: documentHelp)
  var document: String?

  @OptionGroup var lifetime: LifetimeOptions
  @OptionGroup var retry: RetryOptions
  @OptionGroup var trial: TrialOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    try await server.write(.post, path, document: document, headers: lifetime.fields + retry.fields + trial.fields)
  }
}
