import DocketStore
import Migrations

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

  /// Like `/notes/ ["status", "-priority"]`. SQLite takes names for the same that differ in the case of ASCII letters
  /// alone, so where there are capitals a checksum follows.
  var name: String {
    let names = index.names.map { "\"\($0)\"" }.joined(separator: ", ")
    let name = "\(collection) [\(names)]"
    guard name.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return name }
    return "\(name) \(Migration.checksum(of: Array(name.utf8)))"
  }

  var quotedName: String { Self.identifier(name) }

  /// The term with which a statement shows that it is about the index's rows (https://sqlite.org/partialindex.html).
  var isMember: String { "collection = \(Self.literal(collection.description))" }

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

  var drop: String { "DROP INDEX IF EXISTS \(quotedName)" }

  // MARK: Columns

  /// Whether SQLite's order of the values is not that of queries. It cuts strings at `\\u0000`, and takes numbers for
  /// 64-bit integers and doubles, which tell integers of up to 18 digits apart, and others of up to 15.
  var inexact: String {
    let values = index.keys.map { key in
      let path = Self.path(key.path)
      return """
        CASE json_type(data, \(path)) WHEN 'integer' THEN length(data -> \(path)) > 18 \
        WHEN 'real' THEN length(data -> \(path)) > 16 OR (data -> \(path)) GLOB '*[eE]*' \
        WHEN 'text' THEN instr(data -> \(path), '\\u0000') > 0 ELSE 0 END
        """
    }
    return "(" + values.joined(separator: " OR ") + ")"
  }

  /// `QueryValue.rank`.
  static func rank(of path: FieldPath) -> String {
    """
    (CASE json_type(data, \(Self.path(path))) WHEN 'null' THEN 1 WHEN 'false' THEN 2 WHEN 'true' THEN 3 \
    WHEN 'integer' THEN 4 WHEN 'real' THEN 4 WHEN 'text' THEN 5 WHEN 'array' THEN 6 WHEN 'object' THEN 6 ELSE 0 END)
    """
  }

  /// The number or string; NULL of other kinds.
  static func value(of path: FieldPath) -> String {
    """
    (CASE WHEN json_type(data, \(Self.path(path))) IN ('integer', 'real', 'text') \
    THEN json_extract(data, \(Self.path(path))) END)
    """
  }

  // MARK: Quoting

  /// A path of SQLite's: `'$."author"."name"'`.
  private static func path(_ path: FieldPath) -> String {
    precondition(path.canBeIndexed, "a path that SQLite reads as it is meant")
    return literal("$" + path.segments.map { ".\"\($0)\"" }.joined())
  }

  private static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

  private static func identifier(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
}
