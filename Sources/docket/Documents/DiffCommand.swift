import ArgumentParser
import DocketClient
import DocketJSON
import DocketWire

struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show what changed in a document between two revisions.",
    discussion: """
      Both are laid out one value a line and given to diff -u, whose exit status is this command's: 0 where they are the \
      same, 1 where they differ, 2 where they could not be compared. Where there was no document there is nothing to compare with, so all of the other shows.
      """)

  @Argument(help: "The document, such as /notes/42.")
  var path: String

  @Argument(help: "The first revision, or a time such as 2030-01-31T12:00:00Z.")
  var from: PointInTime

  @Argument(help: "The second one; the document as it stands unless told otherwise.")
  var to: PointInTime?

  @OptionGroup var server: ServerOptions

  func run() async throws {
    do {
      try await compare()
    } catch let failure as CommandFailure {
      // As with diff, 1 says that they differ.
      throw CommandFailure(failure.description, status: .usage)
    }
  }

  private func compare() async throws {
    let (old, new) = try await server.withClient { client in
      (try await document(client, from), try await document(client, to))
    }
    guard old != nil || new != nil else { throw CommandFailure("there was no document at \(path) either time") }
    let files = [try TemporaryFile.descriptor(of: old ?? []), try TemporaryFile.descriptor(of: new ?? [])]
    let labels = ["\(path) \(from)", "\(path) \(to.map(\.description) ?? "now")"]
    try Program.replaceThisProcess(
      by: ["diff", "-u", "--label", labels[0], "--label", labels[1]] + files.map { "/dev/fd/\($0)" },
      package: "diffutils")
  }

  /// The document's lines; nil where there was none.
  private func document(_ client: DocketClient, _ moment: PointInTime?) async throws -> [UInt8]? {
    let target = moment.map { "\(path)?asOf=\($0.percentEncoded)" } ?? path
    let answer = try await client.request(.get, target)
    guard answer.code != Status.notFound.rawValue else { return nil }
    try CommandFailure.check(answer)
    return answer.data.withUnsafeReadableBytes { JSONFormatter.pretty($0) } + [UInt8(ascii: "\n")]
  }
}
