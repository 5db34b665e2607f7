import ArgumentParser
import DocketWire

/// What must hold of the document for the request to be carried out.
struct ConditionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only if the document has this revision; * stands for any.", valueName: "revision"))
  var ifMatch: String?

  @Option(
    help: ArgumentHelp(
      "Only if the document does not have this revision; * stands for any, so only if there is none.",
      valueName: "revision"))
  var ifNoneMatch: String?

  func validate() throws {
    if ifMatch != nil, ifNoneMatch != nil { throw ValidationError("give --if-match or --if-none-match, not both") }
  }

  var fields: [(name: String, value: String)] {
    [("If-Match", ifMatch), ("If-None-Match", ifNoneMatch)].compactMap { name, value in value.map { (name, $0) } }
  }
}

/// Whether a write is only tried.
struct TrialOptions: ParsableArguments {
  @Flag(help: "Tell what would happen, and change nothing.")
  var dryRun = false

  var fields: [(name: String, value: String)] { dryRun ? [("Prefer", "dry-run")] : [] }
}

/// Under which key a write is made once.
struct RetryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A name for this write, such as a UUID: sent again under it, it is not carried out again.", valueName: "key"))
  var idempotencyKey: String?

  var fields: [(name: String, value: String)] { idempotencyKey.map { [("Idempotency-Key", $0)] } ?? [] }
}

/// How long what is written lives.
struct LifetimeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Let the document end by itself after so many seconds; 'never' keeps it where its collection has a lifetime set.",
      valueName: "seconds"))
  var expiresIn: String?

  func validate() throws {
    guard let expiresIn, expiresIn != "never" else { return }
    guard let seconds = Int64(expiresIn), seconds >= 1 else {
      throw ValidationError("--expires-in must be a number of seconds, at least 1, or never")
    }
  }

  var fields: [(name: String, value: String)] { expiresIn.map { [("Expires-In", $0)] } ?? [] }
}

extension Headers {
  /// nil where there are no fields, so that the server leaves headers out of its answer.
  init?(given fields: [(name: String, value: String)]) {
    if fields.isEmpty { return nil }
    self.init(fields)
  }
}
