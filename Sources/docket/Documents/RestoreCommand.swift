import ArgumentParser
import DocketClient

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put back a document, a backup, or all documents as they were.",
    usage: """
      docket restore PATH MOMENT [options of a document]
      docket restore FILE [--database PATH] [--as-of MOMENT] [--replace] [--keep-tokens] [--dry-run]
      docket restore --as-of MOMENT [--database PATH] [--dry-run]
      """,
    discussion: """
      With a path and a moment: asks a server to put one document back to what it was. It is written as a new revision, so that \
      this can be undone as well. A deleted document comes back.

        docket restore /notes/42 17

      With a file: puts a backup, any database of Docket's, in the place of the database, which no server may have open. The file that \
      was there is kept beside it. The restored one has a new name of its history: watches and caches begin anew. With --as-of its \
      documents are those of an earlier moment. Access tokens stay as they were; those that only the backup has are revoked, since \
      they may have been meanwhile, unless --keep-tokens says that they hold.

        docket restore backup.db --database docket.db

      Without either: makes all documents of the database what they were at a moment, by new changes, so that this can be undone \
      as well. No server may have it open.

        docket restore --as-of 2030-01-31T12:00:00Z --database docket.db
      """)

  @Argument(help: "The document, such as /notes/42, or the backup's file.")
  var target: String?

  @Argument(help: "Of a document: the revision, or a time such as 2030-01-31T12:00:00Z.")
  var revision: PointInTime?

  @OptionGroup(title: "Options of a document") var condition: ConditionOptions
  @OptionGroup(title: "Options of a document") var lifetime: LifetimeOptions
  @OptionGroup(title: "Options of a document") var retry: RetryOptions
  @OptionGroup(title: "Options of a document") var server: ServerOptions
  @OptionGroup(title: "Options of a database") var moment: MomentOptions
  @OptionGroup(title: "Options of a database") var database: DatabaseOptions
  @OptionGroup(title: "Options of a database") var care: RestoreOptions
  @OptionGroup(title: "Options of a database") var progress: ProgressOptions
  @OptionGroup var trial: TrialOptions

  func validate() throws {
    let ofDocument = !(condition.fields + lifetime.fields + retry.fields).isEmpty
    if let target, let revision {
      guard moment.asOf == nil else {
        throw ValidationError("a document has its moment behind its path (\(target) \(revision)): leave --as-of out")
      }
      guard !care.isOfBackup else { throw RestoreOptions.areOfBackup }
      guard !EnvironmentArguments.isGiven("database") else {
        throw ValidationError("one document is restored by its server (--host, --port): leave --database out")
      }
      guard target.hasPrefix("/") else {
        throw ValidationError(
          """
          '\(target)' is no document's path, such as /notes/42; a backup as it was at a moment is \
          docket restore \(target) --as-of \(revision)
          """)
      }
    } else if ofDocument {
      throw ValidationError(
        "--if-match, --if-none-match, --expires-in and --idempotency-key are for a document: docket restore PATH MOMENT"
      )
    } else if let option = ["host", "port", "unix-socket"].first(where: EnvironmentArguments.isGiven) {
      throw ValidationError("a database is restored in its file, which no server has open: leave --\(option) out")
    } else if target == nil, moment.asOf == nil {
      throw ValidationError(
        """
        say what is to be restored: a document (docket restore /notes/42 MOMENT), a backup (docket restore FILE), or all \
        documents (docket restore --as-of MOMENT)
        """)
    } else if target == nil, care.isOfBackup {
      throw RestoreOptions.areOfBackup
    }
  }

  func run() async throws {
    if let target, let revision {
      try await server.write(
        .post, "\(target)?restore=\(revision.percentEncoded)", data: nil,
        headers: condition.fields + lifetime.fields + retry.fields + trial.fields)
    } else {
      try DatabaseRestoration(
        backup: target, database: database.database, moment: moment.asOf, options: care, isDryRun: trial.dryRun,
        progress: progress
      ).run()
    }
  }
}

/// How a backup takes the place of a database.
struct RestoreOptions: ParsableArguments {
  @Flag(help: "Put the backup also in the place of a database that holds what the backup lacks; that one is put aside.")
  var replace = false

  @Flag(help: "Restore a backup in which the check finds faults.")
  var acceptFaults = false

  @Flag(help: "Let tokens hold that only the backup has; whoever had one gets in by it, also if it was revoked since.")
  var keepTokens = false

  var isOfBackup: Bool { replace || acceptFaults || keepTokens }

  static let areOfBackup = ValidationError(
    "--replace, --accept-faults and --keep-tokens are for a backup: docket restore FILE")
}
