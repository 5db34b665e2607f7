/// Keeps a reader's cache from being stale: with every snapshot it learns from `changes` what was written since the last
/// one, by whichever process, and has the cache forget that. Where history does not tell it forgets all.
final class ChangeFollower {
  private let cache: DocumentCache
  private let newest: Statement
  private let changed: Statement
  private let name = KeyBuffer()
  /// All in the cache is as it stood after this change; negative: nothing is known.
  private(set) var sequence: Int64 = 0

  /// To forget more than this one by one takes longer than to read what is wanted again.
  private static let changesFollowed: Int64 = 4_096

  init(_ connection: Connection, _ cache: DocumentCache) throws(SQLiteError) {
    self.cache = cache
    newest = try connection.prepare("SELECT max(sequence) FROM changes")
    changed = try connection.prepare("SELECT collection, id FROM changes WHERE sequence > ?1")
  }

  /// Has the cache forget what has changed until the snapshot that the connection is in.
  func follow() throws(SQLiteError) {
    let current = try currentSequence()
    guard current != sequence else { return }
    // After an error nothing is held to be known.
    let known = sequence
    sequence = -1
    if cache.isEmpty || known < 0 || current < known || current - known > Self.changesFollowed {
      cache.removeAll()
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
      cache.remove(name.path)
    }
    // Sequences have no gaps, so some have been pruned.
    if found != count { cache.removeAll() }
  }
}
