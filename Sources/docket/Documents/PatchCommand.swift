import ArgumentParser

struct PatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patch",
    abstract: "Change parts of a document: a JSON Merge Patch (RFC 7396) or a JSON Patch (RFC 6902).",
    discussion: """
      An object is a merge patch: what it names is set, and what it sets to null is removed. An array is a list of \
      operations such as {"op": "add", "path": "/tags/-", "value": "new"}. \(documentDiscussion)
      """)

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
      .patch, path, document: document, headers: condition.fields + lifetime.fields + retry.fields + trial.fields)
  }
}
