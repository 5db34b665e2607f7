import ArgumentParser
import DocketClient

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Store the documents of a file.",
    discussion: """
      The file is NDJSON, a JSON array, CSV with names in its first row, or what docket export has written. Its ending tells \
      which: .json is an array, .csv is CSV, anything else is NDJSON with --collection, and an export without.

        docket import notes.ndjson --collection /notes/ --id-field id
        docket import people.csv --collection /people/ --typed --on-error skip
        docket export | docket import - --port 12001
      """)

  enum OnError: String, ExpressibleByArgument, CaseIterable {
    case stop
    case skip
  }

  @Argument(help: "The file, or - for standard input.")
  var file: String

  @Option(help: ArgumentHelp("Where the documents go, such as /notes/.", valueName: "path"))
  var collection: String?

  @Option(
    help: ArgumentHelp(
      "The field whose value, a string or an integer, becomes the id; without it the server makes new ids.",
      valueName: "name"))
  var idField: String?

  @Option(help: "How documents stand in the file.")
  var format: ImportFormat?

  @Flag(help: "CSV: make numbers, true, false and null of what is exactly that, and leave out empty fields.")
  var typed = false

  @Option(help: "What to do about a line that cannot be stored: stop there, or go on without it.")
  var onError = OnError.stop

  @Option(
    help: ArgumentHelp("Keep in this file how far the import has come, and go on from there.", valueName: "path"))
  var resume: String?

  @Option(help: ArgumentHelp("How many documents are sent as one at most.", valueName: "count"))
  var batchSize = 1000

  @Option(help: ArgumentHelp("The longest document that the server takes.", valueName: "bytes"))
  var maxDocumentBytes = 1 << 20

  @Flag(help: "Print neither progress nor result.")
  var quiet = false

  @OptionGroup var server: ServerOptions

  func validate() throws {
    guard (1...1000).contains(batchSize) else { throw ValidationError("--batch-size must be from 1 to 1000") }
    guard maxDocumentBytes > 0 else { throw ValidationError("--max-document-bytes must be 1 or more") }
    switch (chosenFormat, collection) {
    case (.export, nil):
      guard idField == nil else { throw ValidationError("--id-field goes with --collection") }
    case (.export, _?): throw ValidationError("the lines of an export have their own paths: leave out --collection")
    case (let format, nil): throw ValidationError("--collection is needed for \(format.rawValue), such as /notes/")
    case (_, _?): break
    }
    guard !typed || chosenFormat == .csv else { throw ValidationError("--typed goes with CSV") }
  }

  func run() async throws {
    let maximumDocumentBytes = maxDocumentBytes
    let target = try collection.map {
      try ImportTarget(collection: $0, idField: idField, maximumDocumentBytes: maximumDocumentBytes)
    }
    let options = Importer.Options(
      limits: ImportBatch.Limits(requests: batchSize, bytes: maximumDocumentBytes, records: 10_000),
      stopsOnBadRecord: onError == .stop, isQuiet: quiet, statePath: resume, usesKeys: target != nil && idField == nil)
    let (tally, failure) = try await server.withClient(maximumAttempts: 10) { client in
      let bytes = try ByteSource(path: file)
      let state = try startingState(size: bytes.size)
      let source = try ImportSource(
        bytes, format: chosenFormat, from: state.place, target: target, isTyped: typed,
        maximumDocumentBytes: maximumDocumentBytes)
      var importer = Importer(source, client: client, state: state, options: options)
      do {
        try await importer.run()
        return (importer.tally, nil as CommandFailure?)
      } catch let error as DocketClientError {
        return (importer.tally, CommandFailure(error))
      } catch let error as CommandFailure {
        return (importer.tally, error)
      }
    }
    if !quiet { try StandardStream.output.writeLine(tally.json) }
    if let failure { throw failure }
    if tally.bad > 0 { throw ExitCode.failure }
  }

  private var chosenFormat: ImportFormat { format ?? ImportFormat(path: file, hasCollection: collection != nil) }

  /// Where an earlier run has ended, or the beginning.
  private func startingState(size: Int64?) throws -> ImportState {
    let settings = [
      chosenFormat.rawValue, collection ?? "", idField ?? "", typed ? "typed" : "", "\(batchSize)",
      "\(maxDocumentBytes)",
    ].joined(separator: " ")
    guard let resume, let state = try ImportState(path: resume) else {
      return ImportState(settings: settings, size: size)
    }
    guard state.settings == settings else {
      throw CommandFailure("\(resume) is of an import with other options; remove it to begin anew")
    }
    guard state.size == size else {
      throw CommandFailure("\(resume) is of a file of another size than \(file) has now; remove it to begin anew")
    }
    return state
  }
}
