import DocketJSON
import DocketStore

/// The table of tokens, as one connection reads it.
struct TokenTable {
  static let columns = "id, name, allow, digest, created_at, expires_at, revoked_at"

  private let counter: Statement
  private let isFilled: Statement
  private let unrevoked: Statement
  private let page: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    counter = try connection.prepare("SELECT number FROM token_changes")
    isFilled = try connection.prepare("SELECT EXISTS (SELECT 1 FROM tokens)")
    unrevoked = try connection.prepare("SELECT \(Self.columns) FROM tokens WHERE revoked_at IS NULL")
    page = try connection.prepare(
      """
      SELECT \(Self.columns) FROM tokens WHERE (created_at, id) > (?1, ?2)
      ORDER BY created_at, id LIMIT ?3
      """)
  }

  /// How often tokens were changed; 0: there has never been one. nil where somebody has removed what counts.
  func changes() throws(SQLiteError) -> Int64? {
    defer { counter.reset() }
    return try counter.step() ? counter.int64(0) : nil
  }

  /// The tokens that are not revoked. Where they are changed between the two readings the next count tells.
  func roll() throws(SQLiteError) -> TokenRoll {
    var changes = try changes()
    // Where there are tokens, though they are revoked, and none was ever made, somebody has turned the count back.
    if changes == 0, try hasRows() { changes = nil }
    return TokenRoll(changes: changes, tokens: try Self.all(unrevoked))
  }

  private func hasRows() throws(SQLiteError) -> Bool {
    defer { isFilled.reset() }
    return try isFilled.step() && isFilled.int64(0) == 1
  }

  /// Those that there are and were, the oldest first.
  func tokens(after place: TokenPlace? = nil, limit: Int = .max) throws(SQLiteError) -> [AccessToken] {
    page.bind(place?.created.milliseconds ?? .min, at: 1)
    page.bind(place?.id ?? "", at: 2)
    page.bind(Int64(limit), at: 3)
    return try Self.all(page)
  }

  private static func all(_ statement: Statement) throws(SQLiteError) -> [AccessToken] {
    defer { statement.reset() }
    var tokens: [AccessToken] = []
    while try statement.step() { tokens.append(AccessToken(statement)) }
    return tokens
  }
}

extension AccessToken {
  /// - Parameter row: a statement that stands on a row of `TokenTable.columns`.
  init(_ row: Statement) {
    self.init(
      id: row.string(0), name: row.string(1), rules: AccessRules(stored: row.bytes(2)),
      digest: [UInt8](hexadecimal: row.string(3)) ?? [], created: Timestamp(milliseconds: row.int64(4)),
      expires: row.optionalInt64(5).map(Timestamp.init(milliseconds:)),
      revoked: row.optionalInt64(6).map(Timestamp.init(milliseconds:)))
  }
}
