import ArgumentParser
import DocketClient

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a document back to what it was.",
    discussion: "It is written as a new revision, so that this can be undone as well. A deleted document comes back.")

  @Argument(help: "The document, such as /notes/42.")
  var path: String

  @Argument(help: "The revision, or a time such as 2030-01-31T12:00:00Z.")
  var revision: PointInTime

  @OptionGroup var condition: ConditionOptions
  @OptionGroup var lifetime: LifetimeOptions
  @OptionGroup var retry: RetryOptions
  @OptionGroup var trial: TrialOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    try await server.write(
      .post, "\(path)?restore=\(revision.percentEncoded)", data: nil,
      headers: condition.fields + lifetime.fields + retry.fields + trial.fields)
  }
}
