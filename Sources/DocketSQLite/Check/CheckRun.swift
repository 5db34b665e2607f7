import CSQLite
import Migrations

/// One check of one file, within one read transaction.
struct CheckRun {
  let connection: Connection
  let migrations: [Migration]
  let follower: CareFollower
  var result: DatabaseCheck.Report
  /// Whether the tables are there as the migrations make them.
  var hasTables = true
  /// The changes to which a document, a tombstone or a later change leads.
  var reached = SequenceSet()

  init(_ connection: Connection, path: String, migrations: [Migration], follower: CareFollower) {
    self.connection = connection
    self.migrations = migrations
    self.follower = follower
    result = DatabaseCheck.Report(path: path)
  }

  mutating func report() throws -> DatabaseCheck.Report {
    // The snapshot is that of the first read in it.
    try connection.execute("BEGIN")
    let schema = try identify()
    try section("reading pages") { run in try run.checkPages() }
    // Without its tables nothing more can be said of it.
    guard hasTables else { return result }
    try section("checking properties") { run in try run.checkProperties() }
    if schema.has(table: "collections") {
      try section("checking settings") { run in try run.checkSettings(schema) }
    } else {
      noteForeign(schema, ofSettings: [])
    }
    if schema.has(table: "tokens"), schema.has(table: "token_changes") {
      try section("checking tokens") { run in try run.checkTokens() }
    }
    try readRange()
    reached = SequenceSet(fileBytes: try fileBytes())
    try section("checking documents") { run in try run.checkDocuments() }
    try section("checking tombstones") { run in try run.checkTombstones() }
    try section("checking changes") { run in try run.checkChanges() }
    try section("checking chains") { run in try run.checkReached() }
    if schema.has(table: "kept_answers") {
      try section("checking kept answers") { run in try run.checkAnswers() }
    }
    return result
  }

  mutating func add(_ kind: DatabaseCheck.Finding.Kind, _ text: String) { result.add(kind, text) }

  /// Runs a part of the check. Where pages are damaged it may come to no end, which is a finding as well.
  private mutating func section(_ step: String, _ body: (inout Self) throws -> Void) throws {
    try follower.begin(step)
    do {
      try body(&self)
    } catch let error as SQLiteError {
      guard !error.isInterruption, error.code != SQLITE_NOMEM, error.code != SQLITE_BUSY else { throw error }
      add(.pages, "\(step) came to no end: \(error.message)")
    }
  }

  /// What SQLite finds: damaged pages, rows that are in an index and not in its table, wrong types
  /// (https://sqlite.org/pragma.html#pragma_integrity_check).
  private mutating func checkPages() throws {
    let statement = try connection.prepare("PRAGMA integrity_check(\(Self.pageFindings))", persistent: false)
    while try statement.step() {
      let line = statement.string(0)
      guard line != "ok" else { continue }
      // Where one finding has several lines the rest is about the same page.
      for part in line.split(separator: "\n") where !part.hasPrefix("*** in database") { add(.pages, String(part)) }
    }
  }

  /// More than are told, so that some are counted.
  private static let pageFindings = 1_000

  private func fileBytes() throws(SQLiteError) -> Int64 {
    let (bytes, isTooLarge) = (try connection.int64("PRAGMA page_count") ?? 0)
      .multipliedReportingOverflow(by: try connection.int64("PRAGMA page_size") ?? 0)
    return isTooLarge ? .max : bytes
  }

  private mutating func readRange() throws(SQLiteError) {
    let statement = try connection.prepare(
      "SELECT (SELECT min(sequence) FROM changes), (SELECT max(sequence) FROM changes)", persistent: false)
    guard try statement.step() else { return }
    result.oldestChange = statement.optionalInt64(0)
    result.newestChange = statement.optionalInt64(1)
  }
}
