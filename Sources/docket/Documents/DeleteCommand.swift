import ArgumentParser

struct DeleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a document.")

  @Argument(help: "The document, such as /notes/42.")
  var path: String

  @Argument(help: "For /item only: the value to delete, as JSON text, @file, or - for standard input.")
  var document: String?

  @OptionGroup var condition: ConditionOptions
  @OptionGroup var retry: RetryOptions
  @OptionGroup var trial: TrialOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    let data = try document.map { try DocumentInput.document($0) }
    try await server.write(.delete, path, data: data, headers: condition.fields + retry.fields + trial.fields)
  }
}
