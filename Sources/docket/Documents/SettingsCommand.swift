import ArgumentParser
import DocketClient
import DocketWire
import NIOCore

struct SettingsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "Print or change what is set for a collection: indexes, unique fields, texts, lifetimes.",
    discussion: """
      Without settings they are printed; without a collection, those of all. What is given takes the place of all that was \
      set. Making an index takes seconds for each million documents, in which other writes wait.

        docket settings /notes/ '{"indexes": [["status", "-priority"], "author.name"]}'
        docket settings /users/ '{"unique": ["email"], "requireIfMatch": true}'
        docket settings /sessions/ '{"expire": 3600}'
        docket settings /books/ '{"text": ["title", "about"]}'
      """)

  @Argument(help: "The collection, such as /notes/.")
  var path: String?

  @Argument(help: "The settings: JSON, @file, or - for standard input.")
  var settings: String?

  @Flag(help: "Set nothing any more for the collection.")
  var remove = false

  @OptionGroup var server: ServerOptions

  func validate() throws {
    if let path, path.utf8.first != UInt8(ascii: "/") || path.utf8.last != UInt8(ascii: "/") {
      throw ValidationError("a collection's path begins and ends with a slash, such as /notes/")
    }
    if remove, path == nil || settings != nil { throw ValidationError("--remove takes a collection and no settings") }
  }

  func run() async throws {
    let target = "/_collections" + (path ?? "/")
    let data = try settings.map { try DocumentInput.document($0, of: "the text of the settings") }
    let method: Method = remove ? .delete : data == nil ? .get : .put
    let progress = SettingsProgress(server, isShown: data != nil)
    let answer: Answer
    do {
      answer = try await server.withClient { try await $0.request(method, target, data: data) }
    } catch {
      await progress.end()
      throw error
    }
    await progress.end()
    try CommandFailure.check(answer)
    try DocumentOutput.writeReceipt(answer.data)
  }
}
