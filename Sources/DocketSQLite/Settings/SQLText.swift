import Migrations

/// Texts and names within SQL.
enum SQLText {
  static func literal(_ text: String) -> String { quoted(text, UInt8(ascii: "'")) }

  static func identifier(_ name: String) -> String { quoted(name, UInt8(ascii: "\"")) }

  /// By bytes: a quote with a combining mark behind it is one `Character`, and not that of a quote.
  private static func quoted(_ text: String, _ quote: UInt8) -> String {
    let doubled = text.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
    return String(decoding: [quote] + doubled + [quote], as: UTF8.self)
  }

  /// A name that no other name is taken for. SQLite takes names for the same that differ in the case of ASCII letters
  /// alone, so where there are capitals a checksum follows.
  static func distinct(_ name: String) -> String {
    guard name.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return name }
    return "\(name) \(Migration.checksum(of: Array(name.utf8)))"
  }
}
