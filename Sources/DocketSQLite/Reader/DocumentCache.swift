import DocketStore

/// Documents that were read lately, each as it stands in the snapshot that the cache was brought up to.
///
/// It cannot be stale: with every snapshot it learns from `changes` what was written since the last one, by whichever
/// process, and forgets that. Where history does not tell it forgets all.
struct DocumentCache {
  private let newest: Statement
  private let changed: Statement
  private let limitBytes: Int

  /// All in here are as they stood after this change.
  private var sequence: Int64 = 0
  /// What was read since the last change of generations, and what was before; together they hold no more than the limit.
  private var young: [DocumentPath: Document] = [:]
  private var old: [DocumentPath: Document] = [:]
  private var youngBytes = 0

  /// What an entry takes besides its texts: its place in the table, the document's fields and its buffer's.
  private static let overheadBytes = 320
  /// To forget more than this one by one takes longer than to read what is wanted again.
  private static let changesFollowed: Int64 = 4_096

  init(_ connection: Connection, limitBytes: Int) throws(SQLiteError) {
    self.limitBytes = limitBytes
    newest = try connection.prepare("SELECT max(sequence) FROM changes")
    changed = try connection.prepare("SELECT collection, id FROM changes WHERE sequence > ?1")
  }

  /// Forgets what has changed until the snapshot that the connection is in.
  mutating func follow() throws(SQLiteError) {
    guard limitBytes > 0 else { return }
    let current = try currentSequence()
    guard current != sequence else { return }
    // After an error nothing is held to be known.
    let known = sequence
    sequence = -1
    if (young.isEmpty && old.isEmpty) || known < 0 || current < known || current - known > Self.changesFollowed {
      removeAll()
    } else {
      try forgetChanges(since: known, count: current - known)
    }
    sequence = current
  }

  private func currentSequence() throws(SQLiteError) -> Int64 {
    defer { newest.reset() }
    return try newest.step() ? newest.int64(0) : 0
  }

  private mutating func forgetChanges(since known: Int64, count: Int64) throws(SQLiteError) {
    changed.bind(known, at: 1)
    defer { changed.reset() }
    var found: Int64 = 0
    while try changed.step() {
      found += 1
      let path = DocumentPath(collection: CollectionPath(unchecked: changed.string(0)), id: changed.string(1))
      young.removeValue(forKey: path)
      old.removeValue(forKey: path)
    }
    // Sequences have no gaps, so some have been pruned.
    if found != count { removeAll() }
  }

  private mutating func removeAll() {
    young.removeAll(keepingCapacity: true)
    old = [:]
    youngBytes = 0
  }

  /// - Parameter wall: the time by which documents expire.
  mutating func document(at path: DocumentPath, wall: Int64) -> Document? {
    guard let document = young[path] ?? promoted(path) else { return nil }
    if let expires = document.expires, expires.milliseconds <= wall { return nil }
    return document
  }

  private mutating func promoted(_ path: DocumentPath) -> Document? {
    guard !old.isEmpty, let document = old.removeValue(forKey: path) else { return nil }
    insert(document)
    return document
  }

  /// - Parameter document: as it stands in the current snapshot.
  mutating func insert(_ document: Document) {
    let bytes = document.data.readableBytes + Self.overheadBytes
    guard bytes <= limitBytes / 8 else { return }
    youngBytes += bytes
    young[document.path] = document
    guard youngBytes > limitBytes / 2 else { return }
    old = young
    young = [:]
    youngBytes = 0
  }
}
