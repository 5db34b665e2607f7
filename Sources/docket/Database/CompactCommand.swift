import ArgumentParser
import DocketSQLite

struct CompactCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact", abstract: "Write a database anew, without free pages and in order.",
    discussion: """
      Documents, history and its name stay as they are. No server, and no other process, may have the file open, and the disk \
      needs room for a second copy of what is in it. Interrupted at any time it leaves the file as it was.
      """)

  @OptionGroup var misplaced: MisplacedFile
  @OptionGroup var options: DatabaseOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try misplaced.refuse()
    let outcome = try progress.follow { report throws(CareError) in
      try DatabaseCompaction.run(path: options.database, progress: report)
    }
    guard !progress.quiet else { return }
    let difference = outcome.bytesBefore - outcome.bytesAfter
    let change = difference >= 0 ? "\(difference) bytes were given back" : "it has grown by \(-difference) bytes"
    try StandardStream.output.writeLine(
      "\(outcome.path) is compact: \(outcome.bytesAfter) bytes, before \(outcome.bytesBefore); \(change).")
  }
}
