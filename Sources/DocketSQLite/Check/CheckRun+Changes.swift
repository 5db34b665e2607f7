import DocketJSON

extension CheckRun {
  /// Each change, and how it goes with the change before it and with the one before it of the same document.
  mutating func checkChanges() throws {
    let rows = try connection.prepare(
      """
      SELECT c.sequence, c.collection, c.id, c.kind, c.at, c.batch, c.previous, c.before IS NOT NULL,
        c.before_created_at, c.before_updated_at, c.before_expires_at, c.before,
        p.sequence, p.collection = c.collection AND p.id = c.id, p.kind, p.at, p.before_created_at
      FROM changes AS c LEFT JOIN changes AS p ON p.sequence = c.previous ORDER BY c.sequence
      """, persistent: false)
    var last: (sequence: Int64, at: Int64, batch: Int64?)?
    while try rows.step() {
      let sequence = rows.int64(0)
      try follower.advance(
        sequence &- (result.oldestChange ?? 0), of: (result.newestChange ?? 0) &- (result.oldestChange ?? 0))
      result.changes += 1
      let batch = rows.optionalInt64(5)
      if let last {
        if sequence != last.sequence &+ 1 {
          add(.sequence, "changes \(last.sequence &+ 1) to \(sequence &- 1) are missing")
        }
        if rows.int64(4) < last.at { add(.time, "change \(sequence) is dated before change \(last.sequence)") }
      }
      if let batch {
        // What was pruned may have taken the beginning of a batch along.
        let goesOn = last.map { $0.batch == batch } ?? (batch < sequence)
        if batch != sequence, !goesOn {
          add(.batch, "change \(sequence) is of batch \(batch), but the change before it is not")
        }
      }
      last = (sequence, rows.int64(4), batch)
      checkPath(rows)
      checkBefore(rows)
      checkPrevious(rows)
    }
  }

  private mutating func checkPath(_ row: Statement) {
    guard let problem = StoredPath.problem(collection: row.bytes(1), id: row.bytes(2)) else { return }
    add(.path, "change \(row.int64(0)) of '\(Self.name(row))': \(problem)")
  }

  private static func name(_ row: Statement) -> String { "\(row.string(1))\(row.string(2))" }

  /// The document as it was before: there is one for each kind but `created`.
  private mutating func checkBefore(_ row: Statement) {
    let sequence = row.int64(0)
    let isCreation = row.string(3) == "created"
    let hasBefore = row.int64(7) != 0
    let hasTimes = !row.isNull(8) && !row.isNull(9)
    if isCreation, hasBefore || !row.isNull(8) || !row.isNull(9) || !row.isNull(10) {
      add(.chain, "change \(sequence) of \(Self.name(row)) is of the kind created, but tells of a document before it")
    } else if !isCreation, !hasBefore || !hasTimes {
      add(.chain, "change \(sequence) of \(Self.name(row)) does not tell what the document was before it")
    }
    guard hasBefore else { return }
    do {
      try JSONScanner.validate(row.bytes(11))
    } catch {
      add(
        .version,
        "\(Self.name(row)) as it was before change \(sequence) is not JSON that Docket can serve: \(error.description)")
    }
  }

  private mutating func checkPrevious(_ row: Statement) {
    let sequence = row.int64(0)
    let isCreation = row.string(3) == "created"
    guard let previous = row.optionalInt64(6) else {
      if !isCreation { add(.chain, "change \(sequence) of \(Self.name(row)) leads to no earlier one") }
      return
    }
    guard previous < sequence else {
      return add(
        .chain, "change \(sequence) of \(Self.name(row)) leads to change \(previous), which is not an earlier one")
    }
    guard let oldest = result.oldestChange, previous >= oldest else { return }
    guard !row.isNull(12) else {
      return add(.chain, "change \(sequence) of \(Self.name(row)) leads to change \(previous), which is not there")
    }
    guard row.int64(13) == 1 else {
      return add(
        .chain, "change \(sequence) of \(Self.name(row)) leads to change \(previous), which is of another document")
    }
    if !reached.insert(previous) {
      add(
        .chain,
        "change \(sequence) of \(Self.name(row)) leads to change \(previous), to which something else leads as well")
    }
    let kind = row.string(14)
    let wasThere = kind == "created" || kind == "updated"
    guard wasThere != isCreation else {
      return add(
        .chain,
        "change \(sequence) of \(Self.name(row)) is of the kind \(row.string(3)), behind change \(previous) of the kind \(kind)"
      )
    }
    guard wasThere else { return }
    if row.int64(9) != row.int64(15) || row.int64(8) != (kind == "created" ? row.int64(15) : row.int64(16)) {
      add(
        .chain,
        "change \(sequence) of \(Self.name(row)): the times before it are not those that change \(previous) made")
    }
  }

  /// Finds changes that are in no document's chain. Where every change is reached once, by a later one of its document or as
  /// the newest, each document's chain holds all its changes.
  mutating func checkReached() throws {
    guard !reached.isIncomplete else {
      return add(
        .chain, "the numbers of changes are so far apart that it was not looked at which of them are in no chain")
    }
    let rows = try connection.prepare(
      "SELECT sequence, collection, id FROM changes ORDER BY sequence", persistent: false)
    while try rows.step() {
      let sequence = rows.int64(0)
      try follower.advance(
        sequence &- (result.oldestChange ?? 0), of: (result.newestChange ?? 0) &- (result.oldestChange ?? 0))
      guard !reached.contains(sequence) else { continue }
      add(
        .chain,
        "change \(sequence) of \(Self.name(rows)) is in no chain: neither the newest of its document, nor led to by a later one"
      )
    }
  }

  /// What is kept under idempotency keys.
  mutating func checkAnswers() throws {
    let rows = try connection.prepare(
      """
      SELECT number, key, bytes_so_far, length(CAST(answer AS BLOB)), json_valid(answer) FROM kept_answers ORDER BY number
      """, persistent: false)
    var last: Int64 = 0
    while try rows.step() {
      try follower.advance(0, of: 0)
      let number = rows.int64(0)
      if rows.bytes(1).isEmpty { add(.answer, "kept answer \(number) has no key") }
      if rows.int64(4) != 1 { add(.answer, "kept answer \(number) is not JSON") }
      let (least, isTooLarge) = last.addingReportingOverflow(rows.int64(3))
      if isTooLarge || rows.int64(2) < least {
        add(.answer, "kept answer \(number): bytes_so_far does not count the answers before it and itself")
      }
      last = rows.int64(2)
    }
  }
}
