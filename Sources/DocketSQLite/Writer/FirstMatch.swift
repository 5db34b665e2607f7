import DocketJSON
import DocketStore
import NIOCore

/// Finds the first live document of a collection, in the order of ids, that is a given JSON value.
struct FirstMatch {
  private let walk: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    walk = try connection.prepare(
      """
      SELECT id, data FROM document_rows
      WHERE collection = ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY id
      """)
  }

  /// - Returns: the document's id.
  func first(in collection: CollectionPath, equalTo value: ByteBuffer, wall: Int64) throws(SQLiteError) -> String? {
    walk.bind(collection.description, at: 1)
    walk.bind(wall, at: 2)
    defer { walk.reset() }
    while try walk.step() {
      let candidate = walk.bytes(1)
      // What is not JSON equals nothing.
      guard (try? JSONScanner.validate(candidate)) != nil else { continue }
      if value.withUnsafeReadableBytes({ JSONEquality.same($0, candidate) }) { return walk.string(0) }
    }
    return nil
  }
}
