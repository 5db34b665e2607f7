import DocketStore

/// The SQL by which no two documents of a collection have the same values: the search for another one, by the index of
/// these fields, and the trigger that makes it for what is written through the view `documents`.
///
/// It is no UNIQUE index: that would have `INSERT OR REPLACE` remove the other document without a word.
struct UniqueSchema {
  let fields: CollectionIndex
  let collection: CollectionPath

  init(_ fields: CollectionIndex, of collection: CollectionPath) {
    self.fields = fields
    self.collection = collection
  }

  private var index: IndexSchema { IndexSchema(fields, of: collection) }

  /// Whether a document is subject to it: each field is true, false, a number or a string.
  /// - Parameter data: an expression of SQL, the document's JSON.
  private func isComparable(_ data: String) -> String {
    fields.keys.map { "\(IndexSchema.rank(of: $0.path, in: data)) BETWEEN 2 AND 5" }.joined(separator: " AND ")
  }

  /// Whether a row of `document_rows` has the same values. Those that SQLite has only roughly are the same if they are
  /// written the same.
  private func isSame(_ data: String) -> String {
    let keys = fields.keys.flatMap { key in
      let inexact = "(\(IndexSchema.inexact(key.path, in: data)))"
      let texts = "\(IndexSchema.text(of: key.path)) = \(IndexSchema.text(of: key.path, in: data))"
      return [
        "\(IndexSchema.rank(of: key.path)) = \(IndexSchema.rank(of: key.path, in: data))",
        "\(IndexSchema.value(of: key.path)) IS \(IndexSchema.value(of: key.path, in: data))",
        "((\(IndexSchema.inexact(key.path))) = \(inexact) AND (\(inexact) = 0 OR \(texts)))",
      ]
    }
    return ([index.isMember, "\(index.inexact) = \(index.inexact(in: data))"] + keys).joined(separator: "\n    AND ")
  }

  private func others(_ selection: String) -> String {
    "SELECT \(selection) FROM document_rows WHERE \(isComparable("?1")) AND \(isSame("?1")) AND id <> ?2"
  }

  /// Finds the live document that has the same: `?1` is the document's JSON, `?2` its id, `?3` the time by which documents
  /// expire.
  var search: String { "\(others("id")) AND (expires_at IS NULL OR expires_at > ?3) ORDER BY id LIMIT 1" }

  /// Finds those that have expired.
  var searchExpired: String { "\(others("id")) AND expires_at <= ?3 ORDER BY id LIMIT \(Self.endedTogether)" }

  /// So many that have expired are ended by the write that takes their values; what may be left is cleared away as all
  /// that expires.
  private static let endedTogether = 16

  /// Finds two live documents that have the same; `?1` is the time by which documents expire.
  var firstPair: String { "\(allPairs) LIMIT 1" }

  /// The same, two of each group of those that have the same.
  var allPairs: String {
    let values = fields.keys.flatMap { key in
      [
        IndexSchema.rank(of: key.path), IndexSchema.value(of: key.path), IndexSchema.inexact(key.path),
        "CASE \(IndexSchema.inexact(key.path)) WHEN 1 THEN \(IndexSchema.text(of: key.path)) END",
      ]
    }
    return """
      SELECT min(id), max(id) FROM document_rows INDEXED BY \(index.quotedName)
      WHERE \(index.isMember) AND (expires_at IS NULL OR expires_at > ?1) AND \(isComparable("data"))
      GROUP BY \(values.joined(separator: ",\n  ")) HAVING count(*) > 1
      """
  }

  var object: SettingsObject {
    let name = SQLText.distinct("unique \(collection) \(index.fieldList)")
    let fieldNames = fields.names.joined(separator: ", ")
    let create = """
      CREATE TRIGGER \(SQLText.identifier(name)) INSTEAD OF INSERT ON unique_check
        WHEN new.\(index.isMember) AND \(isComparable("new.data"))
      BEGIN
        -- Of the settings of \(collection).
        SELECT raise(ABORT, \(SQLText.literal("another document of \(collection) has the same \(fieldNames)")))
          FROM document_rows WHERE \(isSame("new.data")) AND id <> new.id
            AND (expires_at IS NULL OR expires_at > (SELECT wall FROM clock));
        INSERT INTO expired_document SELECT collection, id FROM document_rows
          WHERE \(isSame("new.data")) AND id <> new.id AND expires_at <= (SELECT wall FROM clock)
          ORDER BY id LIMIT \(Self.endedTogether);
      END
      """
    return SettingsObject(kind: .trigger, name: name, create: create)
  }
}
