import CSQLite
import DocketStore

/// Reads what was, along the chains of changes: a document's revision, or its tombstone, is the newest link, and each link
/// holds the document as it was before it.
///
/// A state is found by walking from the newest link back while links are newer than the moment: the last of them holds it.
/// The link before that one is never fetched, since it may have been pruned.
struct PastReader {
  /// Which changes are kept.
  struct Range {
    let oldest: Int64
    let newest: Int64
    /// The oldest revision at which everything can be read.
    var horizon: Revision { Revision(oldest - 1) }
  }

  /// A document's newest link.
  private struct Head {
    let sequence: Int64
    /// Where it stands, if it has not gone.
    let live: (key: Int64, updated: Int64)?
  }

  private let connection: Connection
  private let clock: WallClock
  private let begin: Statement
  private let range: Statement
  private let newestAt: Statement
  private let live: Statement
  private let tombstone: Statement
  private let liveRow: Statement
  private let link: Statement
  private let before: Statement
  private let change: Statement
  private let changeOfPath: Statement
  private let liveRows: Statement
  private let tombstones: Statement

  /// A scan stops by itself when it has followed so many links for one page.
  private static let linksForPage = 50_000

  init(_ connection: Connection, clock: WallClock) throws(SQLiteError) {
    self.connection = connection
    self.clock = clock
    begin = try connection.prepare("BEGIN")
    range = try connection.prepare("SELECT (SELECT min(sequence) FROM changes), (SELECT max(sequence) FROM changes)")
    newestAt = try connection.prepare(
      "SELECT sequence, at FROM changes WHERE sequence <= ?1 ORDER BY sequence DESC LIMIT 1")
    live = try connection.prepare(
      "SELECT revision, key, updated_at FROM document_rows WHERE collection = ?1 AND id = ?2")
    tombstone = try connection.prepare("SELECT sequence FROM tombstones WHERE collection = ?1 AND id = ?2")
    liveRow = try connection.prepare(
      "SELECT revision, created_at, updated_at, expires_at, data FROM document_rows WHERE key = ?1")
    link = try connection.prepare("SELECT previous FROM changes WHERE sequence = ?1")
    before = try connection.prepare(
      "SELECT before_created_at, before_updated_at, before_expires_at, before FROM changes WHERE sequence = ?1")
    change = try connection.prepare(
      "SELECT kind, at, previous, before_updated_at, before IS NOT NULL FROM changes WHERE sequence = ?1")
    changeOfPath = try connection.prepare("SELECT 1 FROM changes WHERE sequence = ?1 AND collection = ?2 AND id = ?3")
    liveRows = try connection.prepare(
      """
      SELECT collection, id, revision, key, updated_at, created_at, expires_at, data FROM document_rows
      WHERE \(PathRange.sql) ORDER BY collection, id
      """)
    tombstones = try connection.prepare(
      """
      SELECT collection, id, sequence FROM tombstones WHERE \(PathRange.sql) AND sequence > ?5 ORDER BY collection, id
      """)
  }

  /// Takes a snapshot, which is for the caller to give back: a read that was interrupted cannot, as long as what interrupts
  /// it lasts.
  func takeSnapshot() throws(SQLiteError) -> Range {
    try begin.run()
    return try keptRange()
  }

  private func inSnapshot<Value>(
    _ read: (Range) throws(SQLiteError) -> Result<Value, StoreError>
  ) throws(SQLiteError) -> Result<Value, StoreError> {
    try read(try takeSnapshot())
  }

  private func keptRange() throws(SQLiteError) -> Range {
    defer { range.reset() }
    _ = try range.step()
    // Numbers begin at 1; what was written past the door is not to make halves of a range that has no length.
    return Range(oldest: max(range.optionalInt64(0) ?? 1, 1), newest: max(range.int64(1), 0))
  }

  private func check(_ moment: PastMoment, _ range: Range) -> StoreError? {
    moment.revision.rawValue > range.newest ? .ahead(newest: Revision(range.newest)) : nil
  }

  // MARK: Times

  func revision(at time: Timestamp) throws(SQLiteError) -> Result<Revision, StoreError> {
    try inSnapshot { range throws(SQLiteError) in
      guard time.milliseconds <= clock.milliseconds() else { return .failure(.ahead(newest: Revision(range.newest))) }
      // The times of changes never fall, so the newest one that is not later is found by halving.
      var low = range.oldest - 1
      var high = range.newest
      while low < high {
        let middle = high - (high - low) / 2
        newestAt.bind(middle, at: 1)
        defer { newestAt.reset() }
        guard try newestAt.step() else { break }
        if newestAt.int64(1) <= time.milliseconds { low = middle } else { high = newestAt.int64(0) - 1 }
      }
      // Of the time before the oldest change that is kept nothing is known, unless it is the first of all.
      guard low >= range.oldest || range.oldest == 1 else { return .failure(.historyGone(oldest: range.horizon)) }
      return .success(Revision(max(low, 0)))
    }
  }

  // MARK: Documents

  func document(
    at path: DocumentPath, asOf moment: PastMoment, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<Document?, StoreError> {
    try inSnapshot { range throws(SQLiteError) in try document(at: path, asOf: moment, in: range, isLate: isLate) }
  }

  /// The same in a snapshot that was taken.
  func document(
    at path: DocumentPath, asOf moment: PastMoment, in range: Range, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<Document?, StoreError> {
    if let refusal = check(moment, range) { return .failure(refusal) }
    guard let head = try head(of: path) else {
      // There was none, or its end is no longer known.
      return moment.revision < range.horizon ? .failure(.historyGone(oldest: range.horizon)) : .success(nil)
    }
    var links = 0
    return try document(path, head, moment, range, links: &links, isLate: isLate)
  }

  private func head(of path: DocumentPath) throws(SQLiteError) -> Head? {
    live.bind(path.collection.description, at: 1)
    live.bind(path.id, at: 2)
    defer { live.reset() }
    if try live.step() { return Head(sequence: live.int64(0), live: (live.int64(1), live.int64(2))) }
    tombstone.bind(path.collection.description, at: 1)
    tombstone.bind(path.id, at: 2)
    defer { tombstone.reset() }
    return try tombstone.step() ? Head(sequence: tombstone.int64(0), live: nil) : nil
  }

  private func document(
    _ path: DocumentPath, _ head: Head, _ moment: PastMoment, _ range: Range, links: inout Int, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<Document?, StoreError> {
    var newer: Int64?
    var sequence: Int64? = head.sequence
    while let current = sequence, current > moment.revision.rawValue {
      links += 1
      if isLate() { return .failure(.deadlineExceeded) }
      link.bind(current, at: 1)
      defer { link.reset() }
      guard try link.step() else { return .failure(.historyGone(oldest: range.horizon)) }
      newer = current
      sequence = link.optionalInt64(0)
    }
    guard let newer else {
      guard let live = head.live else { return .success(nil) }
      return try liveDocument(path, key: live.key).map { $0.flatMap { moment.shows($0) ? $0 : nil } }
    }
    // The first change of all, or the first since an end that is no longer known.
    if sequence == nil, moment.revision < range.horizon { return .failure(.historyGone(oldest: range.horizon)) }
    return try documentBefore(newer, path, revision: sequence ?? 0).map { $0.flatMap { moment.shows($0) ? $0 : nil } }
  }

  private func liveDocument(_ path: DocumentPath, key: Int64) throws(SQLiteError) -> Result<Document?, StoreError> {
    liveRow.bind(key, at: 1)
    defer { liveRow.reset() }
    guard try liveRow.step() else { return .success(nil) }
    return Document.read(
      path, revision: liveRow.int64(0), created: liveRow.int64(1), updated: liveRow.int64(2),
      expires: liveRow.optionalInt64(3), data: liveRow.bytes(4)
    ).map { $0 }
  }

  /// The document as it was before a change; nil where there was none.
  private func documentBefore(
    _ sequence: Int64, _ path: DocumentPath, revision: Int64
  ) throws(SQLiteError) -> Result<Document?, StoreError> {
    before.bind(sequence, at: 1)
    defer { before.reset() }
    guard try before.step(), !before.isNull(3) else { return .success(nil) }
    return Document.read(
      path, revision: revision, created: before.int64(0), updated: before.int64(1),
      expires: before.optionalInt64(2), data: before.bytes(3)
    ).map { $0 }
  }

  // MARK: Collections

  /// - Parameters:
  ///   - readable: of other documents nothing is read, and so nothing told, whatever is wrong with them; nil: of all.
  ///   - links: it stops by itself when it has followed so many.
  ///   - visit: nil for a row of which nothing is read.
  /// - Returns: nil, or the path behind which to go on.
  func scan(
    _ paths: PathRange, asOf moment: PastMoment, within readable: PathPrefixes? = nil, links limit: Int = linksForPage,
    isLate: () -> Bool,
    visit: (Document?) -> ScanStep
  ) throws(SQLiteError) -> Result<DocumentPath?, StoreError> {
    try inSnapshot { range throws(SQLiteError) in
      if let refusal = check(moment, range) { return .failure(refusal) }
      guard moment.revision >= range.horizon else { return .failure(.historyGone(oldest: range.horizon)) }
      for statement in [liveRows, tombstones] { paths.bind(to: statement) }
      tombstones.bind(moment.revision.rawValue, at: 5)
      defer {
        liveRows.reset()
        tombstones.reset()
      }
      var links = 0
      var hasLive = try liveRows.step()
      var hasTombstone = try tombstones.step()
      // No path is in both, so the lesser one is next.
      while hasLive || hasTombstone {
        if isLate() { return .failure(.deadlineExceeded) }
        let isLive = hasLive && (!hasTombstone || Self.precedes(liveRows, tombstones))
        let row = isLive ? liveRows : tombstones
        let path = DocumentPath(collection: CollectionPath(unchecked: row.string(0)), id: row.string(1))
        let found: Result<Document?, StoreError>
        if let readable, !readable.cover(collection: row.bytes(0), id: row.bytes(1)) {
          if case .stop = visit(nil) { return .success(nil) }
          found = .success(nil)
        } else if isLive, liveRows.int64(2) <= moment.revision.rawValue {
          // Unchanged since, as most are.
          found = unchangedDocument(path, moment)
        } else {
          let head =
            isLive
            ? Head(sequence: liveRows.int64(2), live: (liveRows.int64(3), liveRows.int64(4)))
            : Head(sequence: tombstones.int64(2), live: nil)
          found = try document(path, head, moment, range, links: &links, isLate: isLate)
        }
        switch found {
        case .failure(let error): return .failure(error)
        case .success(let document?): if case .stop = visit(document) { return .success(nil) }
        case .success(nil): break
        }
        if isLive { hasLive = try liveRows.step() } else { hasTombstone = try tombstones.step() }
        if links >= limit, hasLive || hasTombstone { return .success(path) }
        links += 1
      }
      return .success(nil)
    }
  }

  /// The document of the row at which `liveRows` stands.
  private func unchangedDocument(_ path: DocumentPath, _ moment: PastMoment) -> Result<Document?, StoreError> {
    Document.read(
      path, revision: liveRows.int64(2), created: liveRows.int64(5), updated: liveRows.int64(4),
      expires: liveRows.optionalInt64(6), data: liveRows.bytes(7)
    ).map { moment.shows($0) ? $0 : nil }
  }

  /// Whether the path of one row is before that of the other.
  private static func precedes(_ a: Statement, _ b: Statement) -> Bool {
    if a.bytes(0).elementsEqual(b.bytes(0)) { return a.bytes(1).lexicographicallyPrecedes(b.bytes(1)) }
    return a.bytes(0).lexicographicallyPrecedes(b.bytes(0))
  }

  // MARK: Versions

  /// - Parameter revision: nothing is told behind what is no change of this document: whoever names one may not be allowed to read
  ///   the document that it is of.
  /// - Returns: whether there is any trace of such a document.
  func versions(
    of path: DocumentPath, before revision: Revision?, isLate: () -> Bool, visit: (Version) -> ScanStep
  ) throws(SQLiteError) -> Result<Bool, StoreError> {
    try inSnapshot { range throws(SQLiteError) in
      guard let head = try head(of: path) else { return .success(false) }
      var sequence: Int64?
      var bytes: Int?
      var updated: Int64 = 0
      if let revision {
        guard try isChange(revision.rawValue, of: path), let link = try change(revision.rawValue) else {
          return .success(true)
        }
        (sequence, bytes, updated) = (link.previous, link.bytesBefore, link.updatedBefore)
      } else {
        sequence = head.sequence
        if let live = head.live {
          bytes = try connection.textBytes(table: "document_rows", column: "data", row: live.key)
          updated = live.updated
        }
      }
      while let current = sequence {
        if isLate() { return .failure(.deadlineExceeded) }
        guard let link = try change(current) else {
          // The change itself is no longer kept, but what it led to is.
          if let bytes {
            _ = visit(
              Version(
                revision: Revision(current), time: Timestamp(milliseconds: updated), kind: nil, bytes: bytes))
          }
          break
        }
        let version = Version(
          revision: Revision(current), time: Timestamp(milliseconds: link.at), kind: link.kind, bytes: bytes)
        if case .stop = visit(version) { break }
        (sequence, bytes, updated) = (link.previous, link.bytesBefore, link.updatedBefore)
      }
      return .success(true)
    }
  }

  /// What a change tells of itself and of the version before it.
  private struct Link {
    let kind: Version.Kind?
    let at: Int64
    let previous: Int64?
    let updatedBefore: Int64
    let bytesBefore: Int?
  }

  private func isChange(_ sequence: Int64, of path: DocumentPath) throws(SQLiteError) -> Bool {
    changeOfPath.bind(sequence, at: 1)
    changeOfPath.bind(path.collection.description, at: 2)
    changeOfPath.bind(path.id, at: 3)
    defer { changeOfPath.reset() }
    return try changeOfPath.step()
  }

  private func change(_ sequence: Int64) throws(SQLiteError) -> Link? {
    change.bind(sequence, at: 1)
    defer { change.reset() }
    guard try change.step() else { return nil }
    let hasBefore = change.int64(4) != 0
    let bytesBefore = try hasBefore ? connection.textBytes(table: "changes", column: "before", row: sequence) : nil
    return Link(
      kind: Version.Kind(rawValue: change.string(0)), at: change.int64(1), previous: change.optionalInt64(2),
      updatedBefore: change.int64(3), bytesBefore: bytesBefore)
  }
}
