import DocketClient
import DocketSQLite
import DocketService
import DocketStore

/// What `docket restore` does to a database file.
struct DatabaseRestoration {
  /// Nil: the database itself goes back to a moment.
  let backup: String?
  let database: String
  let moment: PointInTime?
  let options: RestoreOptions
  let isDryRun: Bool
  let progress: ProgressOptions

  func run() throws {
    let choice = try moment.map(Self.choice)
    guard let backup else {
      guard let choice else { return }
      let outcome = try progress.follow { report throws(CareError) in
        try DatabaseRestore.toMoment(choice, database: database, isDryRun: isDryRun, progress: report)
      }
      return try tell([Self.describe(outcome, isDryRun: isDryRun)])
    }
    guard FileReplacement.exists(backup) else { throw Self.noSuchFile(backup) }
    var options = DatabaseRestore.Options()
    options.replaces = self.options.replace
    options.acceptsFaults = self.options.acceptFaults
    options.keepsTokens = self.options.keepTokens
    options.isDryRun = isDryRun
    options.moment = choice
    let outcome = try progress.follow { report throws(CareError) in
      try DatabaseRestore.run(backup: backup, database: database, options: options, progress: report)
    }
    try tell(lines(of: outcome))
    for line in RestoredTokenLines(tokens: outcome.tokens, database: database, isDryRun: isDryRun).lines {
      // It has worked, whoever reads this.
      try? StandardStream.error.writeLine("docket: \(line)")
    }
    if let line = triggerLine(outcome.foreignTriggers) { try? StandardStream.error.writeLine("docket: \(line)") }
  }

  /// Triggers come with a backup, and can do anything to the database.
  private func triggerLine(_ names: [String]) -> String? {
    guard !names.isEmpty else { return nil }
    let told = names.prefix(RestoredTokenLines.limit).map { DatabaseCheck.Finding.printable($0) }.joined(
      separator: ", ")
    let more = names.count > RestoredTokenLines.limit ? " and \(names.count - RestoredTokenLines.limit) more" : ""
    return """
      triggers of the backup that are not Docket's \(isDryRun ? "would run" : "run") within each write, a server's as well, and could \
      change tokens, too: \(told)\(more); look at what they do, and drop those that nobody knows, with docket sql
      """
  }

  private func tell(_ lines: [String]) throws {
    guard !progress.quiet else { return }
    try StandardStream.output.writeLine(lines.joined(separator: "\n"))
  }

  private func lines(of outcome: DatabaseRestore.Outcome) -> [String] {
    var lines: [String] = []
    if !outcome.mended.isEmpty {
      let verb = isDryRun ? "would have" : "has"
      lines.append("The backup lacks \(outcome.mended.joined(separator: ", ")); the copy \(verb) it.")
    }
    if let version = outcome.olderVersion {
      lines.append("The backup is of schema \(version); the copy \(isDryRun ? "would be" : "was") brought up to date.")
    }
    if outcome.faults > 0 { lines.append("It has \(outcome.faults) faults, which docket check names.") }
    if let past = outcome.past { lines.append(Self.describe(past, isDryRun: isDryRun)) }
    if let kept = outcome.kept { lines.append("The former database is kept as \(kept).") }
    if let log = outcome.keptLog { lines.append("The log of a database that is not there is kept as \(log).") }
    let contents = "\(outcome.documents) documents, \(outcome.changes) changes"
    lines.append(
      isDryRun
        ? "\(outcome.path) would be restored: \(contents) in the backup. Nothing was changed."
        : "\(outcome.path) is restored: \(contents), under a new name of its history.")
    return lines
  }

  private static func describe(_ past: PastOutcome, isDryRun: Bool) -> String {
    let verb = isDryRun ? "would be " : ""
    let expired = past.expired == 0 ? "" : ", \(past.expired) had an end that has come since and stay away"
    let end = isDryRun ? ". Nothing was changed." : "."
    return """
      As of revision \(past.revision): \(past.putBack) documents \(verb)put back, \(past.deleted) \(verb)deleted, \
      \(past.left) left as they are\(expired)\(end)
      """
  }

  private static func choice(_ moment: PointInTime) throws -> PastMomentChoice {
    switch moment {
    case .revision(let revision): return .revision(revision)
    case .time(let text):
      guard let time = Timestamp(rfc3339: text) else {
        throw CommandFailure(
          "--as-of must be a revision or a time such as 2030-01-31T12:00:00Z, not '\(text)'", status: .usage)
      }
      return .time(time)
    }
  }

  /// Somebody may have meant a document, or a moment.
  private static func noSuchFile(_ name: String) -> CommandFailure {
    if name.hasPrefix("/"), !name.hasSuffix("/") {
      return CommandFailure(
        """
        there is no file \(name) to restore; to put back a document of that path, name the moment as well: \
        docket restore \(name) REVISION (docket history \(name) tells them)
        """)
    }
    if Int64(name) != nil || Timestamp(rfc3339: name) != nil {
      return CommandFailure(
        "there is no file \(name) to restore; to go back to that moment with all documents: docket restore --as-of \(name)"
      )
    }
    return CommandFailure("there is no file \(name) to restore; name a backup, such as backup.db")
  }
}
