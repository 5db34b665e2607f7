import ArgumentParser
import DocketClient
import DocketWire

struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Print a document.",
    discussion: """
      On a terminal it is laid out for reading; in a pipe it comes byte for byte, with a line break behind it. With \
      --if-none-match nothing is printed where the document still has that revision.
      """)

  @Argument(help: "The document, such as /notes/42.")
  var path: String

  @OptionGroup var condition: ConditionOptions
  @OptionGroup var moment: MomentOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    let target = moment.asOf.map { "\(path)?asOf=\($0.percentEncoded)" } ?? path
    let headers = Headers(given: condition.fields)
    let answer = try await server.withClient { try await $0.request(.get, target, headers: headers) }
    guard answer.code != Status.notModified.rawValue else { return }
    try CommandFailure.check(answer)
    try DocumentOutput.write(answer.data)
  }
}
