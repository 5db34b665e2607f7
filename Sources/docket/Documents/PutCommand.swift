import ArgumentParser

struct PutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", abstract: "Create a document, or replace it.", discussion: documentDiscussion)

  @Argument(help: "The document, such as /notes/42.")
  var path: String

  @Argument(help: documentHelp)
  var document: String?

  @OptionGroup var condition: ConditionOptions
  @OptionGroup var lifetime: LifetimeOptions
  @OptionGroup var retry: RetryOptions
  @OptionGroup var trial: TrialOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    try await server.write(
      .put, path, document: document, headers: condition.fields + lifetime.fields + retry.fields + trial.fields)
  }
}
