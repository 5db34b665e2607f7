import DocketService
import DocketStore

/// Tokens in columns, for people.
struct TokenTable {
  private let rows: [[String]]

  private static let head = ["NAME", "ID", "STATE", "CREATED", "EXPIRES", "RULES"]

  init(_ tokens: [ListedToken], now: Timestamp) {
    rows =
      [Self.head]
      + tokens.map { token in
        [
          token.name, token.id, token.state(at: now).rawValue, Self.minute(token.created),
          token.expires.map(Self.minute) ?? "never", token.rules.joined(separator: " "),
        ].map(Self.printable)
      }
  }

  var lines: [String] {
    let widths = Self.head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).enumerated().map { column, cell in
        // Behind the last one nothing has to line up.
        let padding = column == row.count - 1 ? 0 : cell.1 - cell.0.count
        return cell.0 + String(repeating: " ", count: padding)
      }.joined(separator: "  ")
    }
  }

  /// In UTC: `2026-11-23T09:08Z`.
  static func minute(_ time: Timestamp) -> String { time.rfc3339.prefix(16) + "Z" }

  /// A path may hold what would move a terminal's cursor.
  private static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }
}
