import Migrations

/// Texts and names within SQL.
enum SQLText {
  static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

  static func identifier(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  /// A name that no other name is taken for. SQLite takes names for the same that differ in the case of ASCII letters
  /// alone, so where there are capitals a checksum follows.
  static func distinct(_ name: String) -> String {
    guard name.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return name }
    return "\(name) \(Migration.checksum(of: Array(name.utf8)))"
  }
}
