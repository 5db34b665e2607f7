/// How the list of the original routes is searched by value: the index `item_values` on the rows of `/item/`.
///
/// A query uses the index when it holds the literal term `collection = '/item/'` and compares this very expression.
/// It finds candidates only: SQLite cuts strings at `\u0000`, the index keeps their first 100 characters, and numbers
/// are rounded, so whoever asks decides equality by the text itself.
public enum ItemValueIndex {
  public static let name = "item_values"

  /// The key of a row, from the column `data`: a number, the beginning of a string, or one byte for the other types.
  public static let expression = expression(of: "data")

  /// The key of a JSON text that stands under `column`: a column's name, or a parameter such as `?1`.
  public static func expression(of column: String) -> String {
    """
    CASE json_type(\(column)) \
    WHEN 'object' THEN x'6f' WHEN 'array' THEN x'61' WHEN 'null' THEN x'6e' WHEN 'true' THEN x'74' \
    WHEN 'false' THEN x'66' WHEN 'text' THEN substr(json_extract(\(column), '$'), 1, 100) \
    ELSE json_extract(\(column), '$') END
    """
  }
}
