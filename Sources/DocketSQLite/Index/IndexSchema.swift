import DocketStore

/// The SQL of a collection's index: an index of SQLite on expressions, over the rows of that collection alone.
///
/// For each of its fields it has two columns, the rank of the value's kind (`QueryValue.rank`) and the value; then the id,
/// so that what is equal is in order, and the time of expiry, so that nothing need be looked up to count. In front of them
/// stands whether SQLite's order of the values is not that of queries: then the document is looked at whatever is asked.
struct IndexSchema {
  let index: CollectionIndex
  let collection: CollectionPath

  init(_ index: CollectionIndex, of collection: CollectionPath) {
    self.index = index
    self.collection = collection
  }

  /// Like `/notes/ ["status", "-priority"]`.
  var name: String { SQLText.distinct("\(collection) \(fieldList)") }

  /// Like `["status", "-priority"]`.
  var fieldList: String { "[\(index.names.map { "\"\($0)\"" }.joined(separator: ", "))]" }

  var quotedName: String { SQLText.identifier(name) }

  /// The term with which a statement shows that it is about the index's rows (https://sqlite.org/partialindex.html).
  var isMember: String { "collection = \(SQLText.literal(collection.description))" }

  /// Makes the index. A collection's name holds no control character that would end the comment.
  var create: String {
    let columns =
      [inexact]
      + index.keys.flatMap { key in
        let direction = key.isDescending ? " DESC" : ""
        return [Self.rank(of: key.path) + direction, Self.value(of: key.path) + direction]
      } + ["id" + (index.keys.last?.isDescending == true ? " DESC" : ""), "expires_at"]
    return """
      CREATE INDEX \(quotedName) ON document_rows(
        -- Of the settings of \(collection).
        \(columns.joined(separator: ",\n  "))
      ) WHERE \(isMember)
      """
  }

  var object: SettingsObject {
    // Counted with the `sqlite3` command's `.stats vmstep`.
    SettingsObject(kind: .index, name: name, create: create, stepsPerDocument: Int64(14 + 39 * index.keys.count))
  }

  // MARK: Columns

  /// Whether SQLite's order of the values is not that of queries. It cuts strings at `\\u0000`, and takes numbers for
  /// 64-bit integers and doubles, which tell integers of up to 18 digits apart, and others of up to 15.
  var inexact: String { inexact(in: "data") }

  /// - Parameter data: an expression of SQL, the document's JSON.
  func inexact(in data: String) -> String {
    "(" + index.keys.map { Self.inexact($0.path, in: data) }.joined(separator: " OR ") + ")"
  }

  /// The same of one field.
  static func inexact(_ path: FieldPath, in data: String = "data") -> String {
    let text = "\(data) -> \(Self.path(path))"
    return """
      CASE json_type(\(data), \(Self.path(path))) WHEN 'integer' THEN length(ltrim(\(text), '-')) > 18 \
      WHEN 'real' THEN length(ltrim(\(text), '-')) > 16 OR (\(text)) GLOB '*[eE]*' \
      WHEN 'text' THEN instr(replace(\(text), '\\\\', ''), '\\u0000') > 0 ELSE 0 END
      """
  }

  /// `QueryValue.rank`.
  static func rank(of path: FieldPath, in data: String = "data") -> String {
    """
    (CASE json_type(\(data), \(Self.path(path))) WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 3 \
    WHEN 'integer' THEN 4 WHEN 'real' THEN 4 WHEN 'text' THEN 5 WHEN 'array' THEN 6 WHEN 'object' THEN 6 ELSE 0 END)
    """
  }

  /// The number or string; NULL of other kinds.
  static func value(of path: FieldPath, in data: String = "data") -> String {
    """
    (CASE WHEN json_type(\(data), \(Self.path(path))) IN ('integer', 'real', 'text') \
    THEN json_extract(\(data), \(Self.path(path))) END)
    """
  }

  /// The value's JSON; in no index.
  static func text(of path: FieldPath, in data: String = "data") -> String { "(\(data) -> \(Self.path(path)))" }

  // MARK: Quoting

  /// A path of SQLite's: `'$."author"."name"'`.
  static func path(_ path: FieldPath) -> String {
    precondition(path.canBeIndexed, "a path that SQLite reads as it is meant")
    return SQLText.literal("$" + path.segments.map { ".\"\($0)\"" }.joined())
  }
}
