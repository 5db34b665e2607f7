import DocketStore

/// The SQL by which words are searched in a collection's texts: a table of FTS5 (https://sqlite.org/fts5.html) with a column
/// for each field, whose rowids are the keys of `document_rows`, and the triggers that keep it as the documents are,
/// whoever writes them.
///
/// It keeps texts of its own. A table that looked into the documents for them would have to be told the text that goes
/// before it has gone, which an upsert does not tell.
struct TextSchema {
  let fields: [FieldPath]
  let collection: CollectionPath

  init(_ fields: [FieldPath], of collection: CollectionPath) {
    self.fields = fields
    self.collection = collection
  }

  /// Like `/notes/ text`.
  var name: String { SQLText.distinct("\(collection) text") }

  var quotedName: String { SQLText.identifier(name) }

  /// A document that holds no text has a row as well, so that an update of it finds one.
  private var isMember: String { "collection = \(SQLText.literal(collection.description))" }

  private var columns: String {
    fields.map { SQLText.identifier($0.description) }.joined(separator: ", ")
  }

  /// What words are searched in: a string, or those of an array. What is no JSON, written past the door, holds none.
  /// - Parameter data: an expression of SQL, the document's JSON.
  private static func text(of field: FieldPath, in data: String) -> String {
    let path = IndexSchema.path(field)
    return """
      CASE WHEN json_valid(\(data)) THEN CASE json_type(\(data), \(path)) WHEN 'text' THEN json_extract(\(data), \(path)) \
      WHEN 'array' THEN (SELECT group_concat(value, char(10)) FROM json_each(\(data), \(path)) WHERE type = 'text') END END
      """
  }

  private func texts(in data: String) -> String {
    fields.map { Self.text(of: $0, in: data) }.joined(separator: ",\n  ")
  }

  /// FTS5 takes what it is given in the order of the rowids: others would end a segment of its index each.
  private var fill: String {
    """
    INSERT INTO \(quotedName)(rowid, \(columns))
    SELECT key, \(texts(in: "data")) FROM document_rows
    WHERE key IN (SELECT key FROM document_rows WHERE \(isMember)) ORDER BY key
    """
  }

  // MARK: What a check asks

  private var content: String { SQLText.identifier("\(name)_content") }

  /// The ids of documents whose texts are not those that the table keeps.
  var documentsWithOtherTexts: String {
    let differences = fields.indices.map { index in
      "kept.c\(index) IS NOT (\(Self.text(of: fields[index], in: "document_rows.data")))"
    }
    return """
      SELECT document_rows.id FROM document_rows LEFT JOIN \(content) AS kept ON kept.id = document_rows.key
      WHERE document_rows.\(isMember) AND (kept.id IS NULL OR \(differences.joined(separator: " OR ")))
      """
  }

  /// The keys for which the table keeps texts, and that are no documents of the collection.
  var textsWithoutDocument: String {
    """
    SELECT 'key ' || kept.id FROM \(content) AS kept
    WHERE NOT EXISTS (SELECT 1 FROM document_rows WHERE key = kept.id AND \(isMember))
    """
  }

  var object: SettingsObject {
    // What stands between the parentheses FTS5 reads itself, and it knows no comments.
    let create =
      "CREATE VIRTUAL TABLE \(quotedName) USING fts5(\(columns), tokenize = 'unicode61 remove_diacritics 2')"
    return SettingsObject(
      kind: .table, name: name, create: create, fill: fill, stepsPerDocument: Int64(19 + 10 * fields.count),
      shadows: ["data", "idx", "content", "docsize", "config"].map { "\(name)_\($0)" },
      keepers: [insertion, deletion, update])
  }

  private var insertion: SettingsObject {
    trigger(
      "insert", "AFTER INSERT ON document_rows", when: "new.\(isMember)",
      "INSERT OR REPLACE INTO \(quotedName)(rowid, \(columns)) VALUES (new.key, \(texts(in: "new.data")));")
  }

  private var deletion: SettingsObject {
    trigger(
      "delete", "AFTER DELETE ON document_rows", when: "old.\(isMember)",
      "DELETE FROM \(quotedName) WHERE rowid = old.key;")
  }

  private var update: SettingsObject {
    let isOther = fields.map { field in
      "(\(Self.text(of: field, in: "old.data"))) IS NOT (\(Self.text(of: field, in: "new.data")))"
    }
    let assignments = fields.map { field in
      "\(SQLText.identifier(field.description)) = \(Self.text(of: field, in: "new.data"))"
    }
    return trigger(
      "update", "AFTER UPDATE OF data ON document_rows",
      when: "new.\(isMember) AND (\(isOther.joined(separator: "\n    OR ")))",
      "UPDATE \(quotedName) SET \(assignments.joined(separator: ",\n    ")) WHERE rowid = new.key;")
  }

  private func trigger(_ suffix: String, _ event: String, when condition: String, _ body: String) -> SettingsObject {
    let name = SQLText.distinct("\(collection) text \(suffix)")
    let create = """
      CREATE TRIGGER \(SQLText.identifier(name)) \(event)
        WHEN \(condition)
      BEGIN
        -- Of the settings of \(collection).
        \(body)
      END
      """
    return SettingsObject(kind: .trigger, name: name, create: create)
  }
}
