import DocketJSON

extension CheckRun {
  /// Each document: its path, its JSON, and that its revision is a change of it.
  mutating func checkDocuments() throws {
    let last = try connection.int64("SELECT max(key) FROM document_rows") ?? 0
    let rows = try connection.prepare(
      """
      SELECT d.key, d.collection, d.id, d.revision, d.created_at, d.updated_at, d.data,
        c.sequence, c.collection = d.collection AND c.id = d.id, c.kind, c.at, c.before_created_at
      FROM document_rows AS d LEFT JOIN changes AS c ON c.sequence = d.revision ORDER BY d.key
      """, persistent: false)
    while try rows.step() {
      try follower.advance(rows.int64(0), of: last)
      result.documents += 1
      let name = "\(rows.string(1))\(rows.string(2))"
      if let problem = StoredPath.problem(collection: rows.bytes(1), id: rows.bytes(2)) {
        add(.path, "document '\(name)': \(problem)")
      }
      do {
        try JSONScanner.validate(rows.bytes(6))
      } catch {
        add(.data, "\(name): its data is not JSON that Docket can serve: \(error.description)")
      }
      checkRevision(rows, name)
    }
    if result.newestChange == nil, result.documents > 0 {
      add(.sequence, "there are documents, but no changes: numbers of revisions would be given a second time")
    }
  }

  private mutating func checkRevision(_ row: Statement, _ name: String) {
    let revision = row.int64(3)
    // What is older than the history kept has nothing to agree with.
    guard let oldest = result.oldestChange, revision >= oldest else {
      if row.int64(4) > row.int64(5) { add(.revision, "\(name): it was created after its last update") }
      return
    }
    guard !row.isNull(7) else {
      return add(.revision, "\(name): there is no change \(revision), which is its revision")
    }
    guard row.int64(8) == 1 else {
      return add(.revision, "\(name): change \(revision), its revision, is of another document")
    }
    let kind = row.string(9)
    guard kind == "created" || kind == "updated" else {
      return add(.revision, "\(name): change \(revision), its revision, is of the kind \(kind)")
    }
    if !reached.insert(revision) {
      add(.revision, "\(name): change \(revision), its revision, is another document's as well")
    }
    if row.int64(5) != row.int64(10) {
      add(.revision, "\(name): updated_at is not the time of change \(revision), its revision")
    }
    if row.int64(4) != (kind == "created" ? row.int64(10) : row.int64(11)) {
      add(.revision, "\(name): created_at is not what change \(revision), its revision, says")
    }
  }

  /// Each tombstone: that its document is gone, and its change the one that ended it.
  mutating func checkTombstones() throws {
    let rows = try connection.prepare(
      """
      SELECT t.collection, t.id, t.sequence, d.key IS NOT NULL,
        c.sequence, c.collection = t.collection AND c.id = t.id, c.kind
      FROM tombstones AS t LEFT JOIN document_rows AS d ON d.collection = t.collection AND d.id = t.id
        LEFT JOIN changes AS c ON c.sequence = t.sequence
      ORDER BY t.collection, t.id
      """, persistent: false)
    while try rows.step() {
      try follower.advance(0, of: 0)
      let name = "\(rows.string(0))\(rows.string(1))"
      let sequence = rows.int64(2)
      if let problem = StoredPath.problem(collection: rows.bytes(0), id: rows.bytes(1)) {
        add(.path, "tombstone of '\(name)': \(problem)")
      }
      if rows.int64(3) != 0 { add(.tombstone, "\(name): is a document and has a tombstone") }
      guard !rows.isNull(4) else {
        let isOld = sequence < result.oldestChange ?? .max
        add(
          .tombstone,
          "\(name): its tombstone leads to change \(sequence), which is \(isOld ? "no longer kept" : "not there")")
        continue
      }
      guard rows.int64(5) == 1 else {
        add(.tombstone, "\(name): its tombstone leads to change \(sequence), which is of another document")
        continue
      }
      let kind = rows.string(6)
      guard kind == "deleted" || kind == "expired" else {
        add(.tombstone, "\(name): its tombstone leads to change \(sequence), which is of the kind \(kind)")
        continue
      }
      if !reached.insert(sequence), rows.int64(3) == 0 {
        add(.tombstone, "\(name): its tombstone leads to change \(sequence), which is another document's as well")
      }
    }
  }
}
