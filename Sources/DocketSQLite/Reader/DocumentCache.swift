import DocketStore

/// Documents that were read lately, each as it stands in the snapshot that the cache was brought up to.
///
/// It cannot be stale: with every snapshot it learns from `changes` what was written since the last one, by whichever
/// process, and forgets that. Where history does not tell it forgets all.
final class DocumentCache {
  private let newest: Statement
  private let changed: Statement
  private let limitBytes: Int
  private let name = KeyBuffer()

  /// All in here are as they stood after this change.
  private var sequence: Int64 = 0
  /// What was read since the last change of generations, and what was before; together they hold no more than the limit.
  private var young = CachedDocumentTable()
  private var old = CachedDocumentTable()

  /// To forget more than this one by one takes longer than to read what is wanted again.
  private static let changesFollowed: Int64 = 4_096

  init(_ connection: Connection, limitBytes: Int) throws(SQLiteError) {
    self.limitBytes = limitBytes
    newest = try connection.prepare("SELECT max(sequence) FROM changes")
    changed = try connection.prepare("SELECT collection, id FROM changes WHERE sequence > ?1")
  }

  deinit { removeAll() }

  /// Forgets what has changed until the snapshot that the connection is in.
  func follow() throws(SQLiteError) {
    guard limitBytes > 0 else { return }
    let current = try currentSequence()
    guard current != sequence else { return }
    // After an error nothing is held to be known.
    let known = sequence
    sequence = -1
    if (young.count == 0 && old.count == 0) || known < 0 || current < known || current - known > Self.changesFollowed {
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

  private func forgetChanges(since known: Int64, count: Int64) throws(SQLiteError) {
    changed.bind(known, at: 1)
    defer { changed.reset() }
    var found: Int64 = 0
    while try changed.step() {
      found += 1
      name.load(collection: changed.bytes(0), id: changed.bytes(1))
      let hash = CachedDocumentTable.hash(name.path)
      young.remove(name.path, hash: hash)?.free()
      old.remove(name.path, hash: hash)?.free()
    }
    // Sequences have no gaps, so some have been pruned.
    if found != count { removeAll() }
  }

  private func removeAll() {
    young.removeAll()
    old.removeAll()
  }

  /// A document of the current snapshot, if it is at hand. It is valid until the next call.
  /// - Parameters:
  ///   - name: the path as text, collection and id.
  ///   - wall: the time by which documents expire.
  func document(_ name: UnsafeRawBufferPointer, wall: Int64) -> CachedDocument? {
    let hash = CachedDocumentTable.hash(name)
    guard let document = young.document(name, hash: hash) ?? promoted(name, hash: hash) else { return nil }
    return document.isExpired(wall: wall) ? nil : document
  }

  private func promoted(_ name: UnsafeRawBufferPointer, hash: Int) -> CachedDocument? {
    guard let document = old.remove(name, hash: hash) else { return nil }
    insert(document)
    return document
  }

  /// - Parameters:
  ///   - document: as it stands in the current snapshot; it is not in the cache.
  ///   - name: its path as text.
  func insert(_ document: Document, name: UnsafeRawBufferPointer) {
    guard CachedDocument.overheadBytes + name.count + document.data.readableBytes <= limitBytes / 8 else { return }
    let hash = CachedDocumentTable.hash(name)
    // One that has expired, and lives again without a change that `follow` would have seen.
    young.remove(name, hash: hash)?.free()
    insert(CachedDocument(document, name: name, hash: hash))
  }

  private func insert(_ document: CachedDocument) {
    // Before it is added, so that what was handed out is never what is freed.
    if young.bytes + document.bytes > limitBytes / 2 {
      old.removeAll()
      swap(&young, &old)
    }
    young.insert(document)
  }
}
