import ArgumentParser
import DocketClient
import DocketJSON
import DocketWire
import Glibc

struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show what changed in a document between two revisions.",
    discussion: """
      Both are laid out one value a line and given to diff -u, whose exit status is this command's: 0 where they are the \
      same, 1 where they differ. Where there was no document there is nothing to compare with, so all of the other shows.
      """)

  @Argument(help: "The document, such as /notes/42.")
  var path: String

  @Argument(help: "The first revision, or a time such as 2030-01-31T12:00:00Z.")
  var from: PointInTime

  @Argument(help: "The second one; the document as it stands unless told otherwise.")
  var to: PointInTime?

  @OptionGroup var server: ServerOptions

  func run() async throws {
    let (old, new) = try await server.withClient { client in
      (try await document(client, from), try await document(client, to))
    }
    guard old != nil || new != nil else { throw CommandFailure("there was no document at \(path) either time") }
    let files = [try Self.descriptor(of: old ?? []), try Self.descriptor(of: new ?? [])]
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

  /// Puts text where another program can read it for as long as it has the descriptor: a file without a name.
  private static func descriptor(of text: [UInt8]) throws(CommandFailure) -> Int32 {
    var template = Array("\(ProcessEnvironment.variables()["TMPDIR"] ?? "/tmp")/docket-diff-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw CommandFailure("cannot make a temporary file: \(String(cString: strerror(errno)))")
    }
    unlink(template)
    var rest = text[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else {
        throw CommandFailure("cannot write a temporary file: \(String(cString: strerror(errno)))")
      }
      rest = rest.dropFirst(count)
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }
}
