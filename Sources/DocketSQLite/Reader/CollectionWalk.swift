import DocketStore

/// Walks through the live documents of a collection, in byte order of their ids.
struct CollectionWalk {
  private let select: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    select = try connection.prepare(
      """
      SELECT id, revision, created_at, updated_at, expires_at, data FROM document_rows
      WHERE collection = ?1 AND id > ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY id
      """)
  }

  /// - Parameters:
  ///   - after: begins behind this id; nil begins at the start.
  ///   - wall: the time by which documents expire.
  ///   - visit: says whether to go on, or why not.
  /// - Returns: why the walk did not go on: what `visit` said, or a document that cannot be read.
  func visit(
    _ collection: CollectionPath, after: String?, wall: Int64, _ visit: (Document) -> Result<ScanStep, StoreError>
  ) throws(SQLiteError) -> StoreError? {
    select.bind(collection.description, at: 1)
    // No id is empty, so all ids are greater than the empty one.
    select.bind(after ?? "", at: 2)
    select.bind(wall, at: 3)
    defer { select.reset() }
    while try select.step() {
      let document = Document.read(
        DocumentPath(collection: collection, id: select.string(0)), revision: select.int64(1),
        created: select.int64(2), updated: select.int64(3), expires: select.optionalInt64(4), data: select.bytes(5))
      switch document.flatMap(visit) {
      case .success(.next): break
      case .success(.stop): return nil
      case .failure(let error): return error
      }
    }
    return nil
  }
}
