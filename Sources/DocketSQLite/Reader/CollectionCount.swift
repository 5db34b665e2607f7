import DocketStore

/// Finds the collections that hold documents, and counts what they hold.
///
/// From one name to the next it leaps by the index over the paths, so that collections of which nothing may be told cost one
/// search each, however much they hold.
struct CollectionCount {
  private let begin: Statement
  private let next: Statement
  private let count: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    begin = try connection.prepare("BEGIN")
    next = try connection.prepare(
      "SELECT collection FROM document_rows WHERE collection > ?1 ORDER BY collection LIMIT 1")
    // As a BLOB a text has its length in bytes (https://sqlite.org/lang_corefunc.html#length).
    count = try connection.prepare(
      """
      SELECT count(*), sum(length(CAST(data AS BLOB))), max(updated_at) FROM document_rows
      WHERE collection = ?1 AND (expires_at IS NULL OR expires_at > ?2)
      """)
  }

  /// Begins a transaction, which whoever asks ends.
  /// - Parameters:
  ///   - wall: the time by which documents expire.
  ///   - isLate: whether to give up.
  func contents(
    readable: PathPrefixes, after: CollectionPath?, limit: Int, wall: Int64, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<[CollectionContents], StoreError> {
    try begin.run()
    var found: [CollectionContents] = []
    var place = after
    while found.count < limit, let collection = try name(behind: place) {
      if isLate() { return .failure(.deadlineExceeded) }
      place = collection
      guard readable.cover(collection), let contents = try contents(of: collection, wall: wall) else { continue }
      found.append(contents)
    }
    return .success(found)
  }

  private func name(behind place: CollectionPath?) throws(SQLiteError) -> CollectionPath? {
    // Every name begins with a slash.
    next.bind(place?.description ?? "", at: 1)
    defer { next.reset() }
    return try next.step() ? CollectionPath(unchecked: next.string(0)) : nil
  }

  /// nil where all that is there has expired.
  private func contents(of collection: CollectionPath, wall: Int64) throws(SQLiteError) -> CollectionContents? {
    count.bind(collection.description, at: 1)
    count.bind(wall, at: 2)
    defer { count.reset() }
    guard try count.step(), count.int64(0) > 0 else { return nil }
    return CollectionContents(
      collection, documents: Int(count.int64(0)), bytes: count.int64(1),
      updated: Timestamp(milliseconds: count.int64(2)))
  }
}
