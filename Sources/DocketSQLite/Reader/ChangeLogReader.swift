import DocketStore
import Glibc

/// Reads changes in the order of the commits, each with the document as it was after it.
///
/// What a document was after a change is what it was before its next one, or what it is now. The next one is mostly near: it
/// is among what is read with the change, or a little behind it (`ChangeSuccessors`). Otherwise the live row is looked at, and
/// only if the document has changed since its chain is walked back from the newest link.
///
/// Of a change that is not wanted only the path is read: `before` stands behind it in the row, so it may be as long as it
/// likes.
final class ChangeLogReader {
  /// How much is looked at together, in changes but where it says bytes.
  struct Limits: Sendable {
    /// Wanted changes of the first window of a reading, and of any: each is twice the one before, since a reading may be told
    /// to stop soon.
    var firstWindow = 128
    var window = 2_048
    /// Changes of a window, wanted or not.
    var windowScanned = 1 << 16
    /// Of the paths of a window.
    var windowBytes = 1 << 20
    /// How far behind a window next changes are looked for: so many at first, and so many more for each that misses its own.
    var aheadAtFirst = 512
    var aheadForEach = 8
    var ahead = 1 << 17
  }

  /// A wanted change.
  private struct Row {
    let sequence: Int64
    let previous: Int64?
    let kind: Version.Kind
    let at: Int64
    let batch: Int64?
    let path: DocumentPath

    var leavesDocument: Bool { kind == .created || kind == .updated }
  }

  private let past: PastReader
  private let limits: Limits
  private let rows: Statement
  private let before: Statement
  private let live: Statement
  private let successors: ChangeSuccessors
  private let key = KeyBuffer()
  private var window: [Row] = []
  /// The collection of the row before, which most share.
  private var collection = (name: [UInt8](), path: CollectionPath(unchecked: ""))

  /// So many changes pass between two looks at the limit of time.
  private static let rowsBetweenLooks = 64

  init(_ connection: Connection, past: PastReader, limits: Limits) throws(SQLiteError) {
    self.past = past
    self.limits = limits
    successors = try ChangeSuccessors(connection)
    rows = try connection.prepare(
      """
      SELECT sequence, collection, id, previous, kind, at, batch FROM changes
      WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence
      """)
    before = try connection.prepare(
      """
      SELECT previous, before_created_at, before_updated_at, before_expires_at, before FROM changes
      WHERE sequence = ?1 AND before IS NOT NULL
      """)
    live = try connection.prepare(
      """
      SELECT revision, created_at, updated_at, expires_at, CASE WHEN revision = ?3 THEN data END FROM document_rows
      WHERE collection = ?1 AND id = ?2
      """)
  }

  /// Visits changes as `ChangeReader.changes` does.
  /// - Parameter kept: what is kept in the snapshot that the connection is in.
  func visit(
    _ range: ChangeRange, kept: PastReader.Range, of interest: ChangeInterest, isLate: () -> Bool,
    visit: (Change) -> ScanStep
  ) throws(SQLiteError) -> Result<ChangeProgress, StoreError> {
    var position = range.after.rawValue
    guard position <= kept.newest else { return .failure(.ahead(newest: Revision(kept.newest))) }
    guard range.after >= kept.horizon else { return .failure(.historyGone(oldest: kept.horizon)) }
    let end = min(range.through?.rawValue ?? .max, kept.newest)
    var unscanned = range.scanLimit
    var size = limits.firstWindow
    var credit = limits.aheadAtFirst
    successors.begin(behind: position)
    defer { window.removeAll(keepingCapacity: true) }
    while position < end, unscanned > 0 {
      let scan = (behind: position, through: end, limit: min(unscanned, limits.windowScanned))
      guard let scanned = try fillWindow(scan, size: size, of: interest, isLate: isLate) else {
        return .failure(.deadlineExceeded)
      }
      unscanned -= scanned.count
      position = scanned.last
      try lookAhead(behind: position, newest: kept.newest, credit: &credit)
      for row in window {
        if isLate() { return .failure(.deadlineExceeded) }
        switch try change(of: row, withBefore: range.withBefore, kept: kept, isLate: isLate) {
        case .failure(let error): return .failure(error)
        case .success(let change):
          guard case .stop = visit(change) else { continue }
          return .success(ChangeProgress(sequence: Revision(row.sequence - 1), isAtEnd: false))
        }
      }
      size = min(2 * size, limits.window)
    }
    return .success(ChangeProgress(sequence: Revision(position), isAtEnd: position >= end))
  }

  // MARK: Windows

  /// Reads the next wanted changes.
  /// - Returns: how many were looked at, and the last of them; nil where it is too late.
  private func fillWindow(
    _ scan: (behind: Int64, through: Int64, limit: Int), size: Int, of interest: ChangeInterest, isLate: () -> Bool
  ) throws(SQLiteError) -> (count: Int, last: Int64)? {
    window.removeAll(keepingCapacity: true)
    rows.bind(scan.behind, at: 1)
    rows.bind(scan.through, at: 2)
    defer { rows.reset() }
    var count = 0
    var bytes = 0
    var last = scan.behind
    while count < scan.limit, window.count < size, bytes < limits.windowBytes {
      guard try rows.step() else { return (count, scan.through) }
      if count % Self.rowsBetweenLooks == 0, isLate() { return nil }
      count += 1
      last = rows.int64(0)
      let (name, id) = (rows.bytes(1), rows.bytes(2))
      guard interest(name, id) else { continue }
      bytes += name.count + id.count
      let row = Row(
        sequence: last, previous: rows.optionalInt64(3), kind: Version.Kind(column: rows.bytes(4)), at: rows.int64(5),
        batch: rows.optionalInt64(6),
        path: DocumentPath(collection: collection(named: name), id: String(decoding: id, as: UTF8.self)))
      window.append(row)
      successors.note(last, follows: row.previous)
    }
    return (count, last)
  }

  private func collection(named name: UnsafeRawBufferPointer) -> CollectionPath {
    let isSame = collection.name.withUnsafeBytes {
      guard $0.count == name.count, let a = $0.baseAddress, let b = name.baseAddress else { return false }
      return memcmp(a, b, name.count) == 0
    }
    if !isSame { collection = (Array(name), CollectionPath(unchecked: String(decoding: name, as: UTF8.self))) }
    return collection.path
  }

  /// Looks behind the window for the next changes of what is in it, as far as that seems worth it.
  private func lookAhead(behind position: Int64, newest: Int64, credit: inout Int) throws(SQLiteError) {
    let missing = window.filter { $0.leavesDocument && !successors.isKnown($0.sequence) }.map(\.sequence)
    guard !missing.isEmpty else { return }
    credit += missing.count * limits.aheadForEach
    let bound = min(newest, position + Int64(limits.ahead))
    try successors.lookAhead(of: missing, from: position, through: bound, credit: &credit)
  }

  // MARK: Documents

  private func change(
    of row: Row, withBefore: Bool, kept: PastReader.Range, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<Change, StoreError> {
    var document: Document?
    var defect: StoreError?
    if row.leavesDocument {
      switch try documentAfter(row, kept: kept, isLate: isLate) {
      case .success(let found): document = found
      case .failure(.deadlineExceeded): return .failure(.deadlineExceeded)
      case .failure(let error): defect = error
      }
    }
    var old: Document?
    if withBefore, row.kind != .created,
      case .success(let found)? = try documentBefore(row.sequence, row.path)?.document
    {
      old = found
    }
    return .success(
      Change(
        sequence: Revision(row.sequence), kind: row.kind, path: row.path, at: Timestamp(milliseconds: row.at),
        batch: row.batch.map { Revision($0) }, document: document, before: old, defect: defect))
  }

  private func documentAfter(
    _ row: Row, kept: PastReader.Range, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<Document, StoreError> {
    // What was noted may be of another history, if the file's contents were replaced.
    if let next = successors.next(of: row.sequence), let found = try documentBefore(next, row.path),
      found.previous == row.sequence
    {
      return found.document
    }
    if let document = try liveDocument(row) { return document }
    let moment = PastMoment(revision: Revision(row.sequence))
    switch try past.document(at: row.path, asOf: moment, in: kept, isLate: isLate) {
    case .success(let document?) where document.revision == moment.revision: return .success(document)
    case .failure(.invalidDocument(let path, let reason)): return .failure(.invalidDocument(path, reason: reason))
    case .failure(.deadlineExceeded): return .failure(.deadlineExceeded)
    case .success, .failure:
      return .failure(.invalidDocument(row.path, reason: "its history was changed past the view"))
    }
  }

  /// nil where it has changed since.
  private func liveDocument(_ row: Row) throws(SQLiteError) -> Result<Document, StoreError>? {
    key.load(row.path)
    live.bind(borrowing: key.collection, at: 1)
    live.bind(borrowing: key.id, at: 2)
    live.bind(row.sequence, at: 3)
    defer { live.reset() }
    guard try live.step(), live.int64(0) == row.sequence else { return nil }
    return Document.read(
      row.path, revision: row.sequence, created: live.int64(1), updated: live.int64(2), expires: live.optionalInt64(3),
      data: live.bytes(4))
  }

  /// The document as it was before a change; nil where there was none.
  private func documentBefore(
    _ sequence: Int64, _ path: DocumentPath
  ) throws(SQLiteError) -> (previous: Int64, document: Result<Document, StoreError>)? {
    before.bind(sequence, at: 1)
    defer { before.reset() }
    guard try before.step() else { return nil }
    let previous = before.int64(0)
    let document = Document.read(
      path, revision: previous, created: before.int64(1), updated: before.int64(2), expires: before.optionalInt64(3),
      data: before.bytes(4))
    return (previous, document)
  }
}

extension Version.Kind {
  /// As `changes.kind` has it, which holds no other words.
  fileprivate init(column: UnsafeRawBufferPointer) {
    switch column.first {
    case UInt8(ascii: "c"): self = .created
    case UInt8(ascii: "d"): self = .deleted
    case UInt8(ascii: "e"): self = .expired
    default: self = .updated
    }
  }
}
