import CSQLite
import DocketJSON
import DocketStore

/// Makes the documents of a database what they were at a moment, by new changes: history goes on, and this can be undone
/// like anything else.
///
/// It writes the tables as the writer does, and not through the view `documents`, which would refuse two documents that
/// exchange a unique value, whichever came first. What is unique is looked at in the end, in what it has all come to.
struct PastRestoration {
  private let connection: Connection
  /// As messages name it.
  private let path: String
  private let clock: WallClock
  private let follower: CareFollower

  init(_ connection: Connection, path: String, clock: WallClock = .system, follower: CareFollower) {
    self.connection = connection
    self.path = path
    self.clock = clock
    self.follower = follower
  }

  /// Does it in one transaction.
  func run(_ choice: PastMomentChoice) throws -> PastOutcome {
    let moment = try choice.resolve(in: connection, path: path, clock: clock)
    do {
      try connection.execute("BEGIN IMMEDIATE")
      let wall = clock.milliseconds()
      try findChanged(since: moment)
      var writer = try PastWriter(connection, wall: wall)
      var outcome = try followChanged(moment, wall: wall) { row throws in try writer.write(row) }
      try follower.begin("checking what is unique")
      try checkUnique(wall: wall)
      outcome.left = try liveDocuments(wall: wall) - outcome.putBack
      try connection.execute("DROP TABLE temp.past; COMMIT")
      return outcome
    } catch {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
      if let error = error as? SQLiteError, error.isRefusal {
        throw CareError.refused(path: path, reason: error.message)
      }
      throw error
    }
  }

  /// Counts what `run` would do, in a snapshot. What is unique is not looked at.
  func count(_ choice: PastMomentChoice) throws -> PastOutcome {
    let moment = try choice.resolve(in: connection, path: path, clock: clock)
    // What is temporary is no part of the file.
    try connection.execute("PRAGMA query_only = OFF; BEGIN")
    defer {
      if connection.isInTransaction { try? connection.execute("ROLLBACK") }
    }
    let wall = clock.milliseconds()
    try findChanged(since: moment)
    var touched: Int64 = 0
    var outcome = try followChanged(moment, wall: wall) { row throws in if row.isLive { touched += 1 } }
    outcome.left = try liveDocuments(wall: wall) - touched
    return outcome
  }

  /// Of each document that has changed since a moment the oldest such change: it holds what the document was. All others are
  /// as they were, and nobody looks at them.
  private func findChanged(since moment: PastMoment) throws {
    try follower.begin("finding what has changed since")
    try follower.following(connection) {
      try connection.execute(
        """
        CREATE TEMP TABLE past(collection TEXT, id TEXT, source INTEGER, PRIMARY KEY (collection, id)) WITHOUT ROWID;
        INSERT OR IGNORE INTO temp.past SELECT collection, id, sequence FROM changes
          WHERE sequence > \(moment.revision.rawValue) ORDER BY sequence;
        """)
    }
  }

  /// A document that is not as it was.
  struct Difference {
    /// The change that holds what it was; nil: it was not there, or its time has run out.
    let source: Int64?
    /// Its row, which may have expired and not been cleared away.
    let key: Int64?
    /// Whether there is a document now.
    let isLive: Bool
    /// What it was.
    let data: UnsafeRawBufferPointer
    let name: String
    let collection: UnsafeRawBufferPointer
    let id: UnsafeRawBufferPointer
  }

  /// Goes through what has changed, in the order of the paths, and counts.
  private func followChanged(
    _ moment: PastMoment, wall: Int64, _ visit: (Difference) throws -> Void
  ) throws -> PastOutcome {
    try follower.begin("putting documents back")
    let total = try connection.int64("SELECT count(*) FROM temp.past") ?? 0
    let rows = try connection.prepare(
      """
      SELECT p.collection, p.id, p.source, c.before, c.before_expires_at, d.key,
        d.key IS NOT NULL AND (d.expires_at IS NULL OR d.expires_at > ?1),
        d.data IS c.before AND d.expires_at IS c.before_expires_at
      FROM temp.past AS p JOIN changes AS c ON c.sequence = p.source
        LEFT JOIN document_rows AS d ON d.collection = p.collection AND d.id = p.id
      ORDER BY p.collection, p.id
      """, persistent: false)
    rows.bind(wall, at: 1)
    var outcome = PastOutcome()
    outcome.revision = moment.revision.rawValue
    var done: Int64 = 0
    while try rows.step() {
      done += 1
      try follower.advance(done, of: total)
      let expires = rows.optionalInt64(4)
      var wasThere = !rows.isNull(3)
      if wasThere, let time = moment.time, let expires, expires <= time.milliseconds { wasThere = false }
      if wasThere, let expires, expires <= wall {
        wasThere = false
        outcome.expired += 1
      }
      let isLive = rows.int64(6) == 1
      if wasThere, isLive, rows.int64(7) == 1 { continue }
      guard wasThere || isLive else { continue }
      try visit(
        Difference(
          source: wasThere ? rows.int64(2) : nil, key: rows.optionalInt64(5), isLive: isLive, data: rows.bytes(3),
          name: "\(rows.string(0))\(rows.string(1))", collection: rows.bytes(0), id: rows.bytes(1)))
      if wasThere { outcome.putBack += 1 } else { outcome.deleted += 1 }
    }
    return outcome
  }

  private func liveDocuments(wall: Int64) throws -> Int64 {
    try connection.int64("SELECT count(*) FROM document_rows WHERE expires_at IS NULL OR expires_at > \(wall)") ?? 0
  }

  private func checkUnique(wall: Int64) throws {
    guard try Schema(of: connection).has(table: "collections") else { return }
    for named in try IndexCatalog(connection).all() {
      for fields in named.settings.unique {
        let pair = try connection.prepare(UniqueSchema(fields, of: named.collection).firstPair, persistent: false)
        pair.bind(wall, at: 1)
        guard try pair.step() else { continue }
        throw CareError.notUnique(
          collection: named.collection.description, fields: fields.names, first: pair.string(0), second: pair.string(1))
      }
    }
  }
}

/// Writes documents as they were, and the changes that this makes, in the open transaction.
private struct PastWriter {
  private var sequence: Int64
  private let at: Int64
  private let recordOfRow: Statement
  private let recordCreation: Statement
  private let update: Statement
  private let insert: Statement
  private let insertTombstone: Statement
  private let deleteTombstone: Statement
  private let delete: Statement

  init(_ connection: Connection, wall: Int64) throws(SQLiteError) {
    sequence = try connection.int64("SELECT max(sequence) FROM changes") ?? 0
    at = max(wall, try connection.int64("SELECT at FROM changes ORDER BY sequence DESC LIMIT 1") ?? 0)
    recordOfRow = try connection.prepare(
      """
      INSERT INTO changes(sequence, previous, collection, id, kind, at,
        before, before_created_at, before_updated_at, before_expires_at)
      SELECT ?1, revision, collection, id, ?2, ?3, data, created_at, updated_at, expires_at
      FROM document_rows WHERE key = ?4
      """)
    recordCreation = try connection.prepare(
      """
      INSERT INTO changes(sequence, previous, collection, id, kind, at)
      VALUES (?1, (SELECT sequence FROM tombstones WHERE collection = ?2 AND id = ?3), ?2, ?3, 'created', ?4)
      """)
    update = try connection.prepare(
      """
      UPDATE document_rows SET revision = ?1, updated_at = ?2,
        (data, expires_at) = (SELECT before, before_expires_at FROM changes WHERE sequence = ?3)
      WHERE key = ?4
      """)
    insert = try connection.prepare(
      """
      INSERT INTO document_rows(collection, id, revision, created_at, updated_at, expires_at, data)
      SELECT collection, id, ?1, ?2, ?2, before_expires_at, before FROM changes WHERE sequence = ?3
      """)
    insertTombstone = try connection.prepare(
      "INSERT INTO tombstones SELECT collection, id, ?1 FROM document_rows WHERE key = ?2")
    deleteTombstone = try connection.prepare("DELETE FROM tombstones WHERE collection = ?1 AND id = ?2")
    delete = try connection.prepare("DELETE FROM document_rows WHERE key = ?1")
  }

  mutating func write(_ difference: PastRestoration.Difference) throws {
    guard let source = difference.source else {
      if let key = difference.key { try remove(key, as: "deleted") }
      return
    }
    do {
      try JSONScanner.validate(difference.data)
    } catch {
      throw CareError.unreadableVersion(document: difference.name, reason: error.description)
    }
    if let key = difference.key, difference.isLive { return try replace(key, by: source) }
    if let key = difference.key { try remove(key, as: "expired") }
    try create(difference, from: source)
  }

  private mutating func nextSequence() -> Int64 {
    sequence += 1
    return sequence
  }

  private func record(_ kind: String, of key: Int64, as number: Int64) throws(SQLiteError) {
    recordOfRow.bind(number, at: 1)
    recordOfRow.bind(kind, at: 2)
    recordOfRow.bind(at, at: 3)
    recordOfRow.bind(key, at: 4)
    try recordOfRow.run()
  }

  private mutating func replace(_ key: Int64, by source: Int64) throws(SQLiteError) {
    let number = nextSequence()
    try record("updated", of: key, as: number)
    update.bind(number, at: 1)
    update.bind(at, at: 2)
    update.bind(source, at: 3)
    update.bind(key, at: 4)
    try update.run()
  }

  private mutating func remove(_ key: Int64, as kind: String) throws(SQLiteError) {
    let number = nextSequence()
    try record(kind, of: key, as: number)
    insertTombstone.bind(number, at: 1)
    insertTombstone.bind(key, at: 2)
    try insertTombstone.run()
    delete.bind(key, at: 1)
    try delete.run()
  }

  private mutating func create(_ difference: PastRestoration.Difference, from source: Int64) throws(SQLiteError) {
    let number = nextSequence()
    recordCreation.bind(number, at: 1)
    recordCreation.bind(copying: difference.collection, at: 2)
    recordCreation.bind(copying: difference.id, at: 3)
    recordCreation.bind(at, at: 4)
    try recordCreation.run()
    insert.bind(number, at: 1)
    insert.bind(at, at: 2)
    insert.bind(source, at: 3)
    try insert.run()
    deleteTombstone.bind(copying: difference.collection, at: 1)
    deleteTombstone.bind(copying: difference.id, at: 2)
    try deleteTombstone.run()
  }
}
