import DocketStore

/// The tokens of a database that another file takes the place of: who may do what is a matter of today, and a restored backup
/// must neither open what was closed nor bring back a token that was revoked since.
///
/// So its tokens stay as they are. Of a token that only the backup has it cannot tell whether it still held, and such a one is
/// revoked unless it is wanted.
struct TokenRetention {
  /// Those of the database; nil where there is none that could be read.
  let tokens: [AccessToken]?
  /// Why they could not be read.
  let defect: String?
  /// Whether there has ever been one; nil where nothing tells.
  private let hasHadTokens: Bool?

  /// - Parameter database: nil: there is none that could be read.
  init(of database: Connection?) {
    do throws(SQLiteError) {
      let found = try database.map { database throws(SQLiteError) in
        (tokens: try Self.tokens(of: database), hasHad: try Self.hasHadTokens(database))
      }
      (tokens, hasHadTokens, defect) = (found?.tokens, found?.hasHad, nil)
    } catch {
      (tokens, hasHadTokens, defect) = (nil, nil, error.message)
    }
  }

  /// None in a file of an older version.
  private static func tokens(of database: Connection) throws(SQLiteError) -> [AccessToken] {
    try knowsTokens(database) ? TokenTable(database).tokens() : []
  }

  /// Also where they have been cleared away since. Where somebody has removed what counts, there may have been.
  private static func hasHadTokens(_ database: Connection) throws(SQLiteError) -> Bool {
    guard try knowsTokens(database) else { return false }
    return try TokenTable(database).changes() != 0
  }

  private static func knowsTokens(_ database: Connection) throws(SQLiteError) -> Bool {
    try database.int64("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tokens'") != nil
  }

  /// Whether somebody may be shut out by tokens that would not come along, so that what takes the place must not be open.
  var mayHaveTokens: Bool { hasHadTokens != false }

  // MARK: Beside those of a backup

  /// The tokens of a backup that hold and that the database does not know.
  func strangers(in backup: Connection) throws(SQLiteError) -> [AccessToken] {
    let known = Set((tokens ?? []).map { Array($0.id.utf8) })
    return try Self.tokens(of: backup).filter { $0.revoked == nil && !known.contains(Array($0.id.utf8)) }
  }

  /// Whether a token of the database that is not revoked has this one's name.
  func hasTakenName(of stranger: AccessToken) -> Bool {
    tokens?.contains { $0.revoked == nil && $0.name.utf8.elementsEqual(stranger.name.utf8) } == true
  }

  /// Puts the tokens into the copy of a backup that has the newest schema. What the backup says of the same ones gives way.
  /// - Parameters:
  ///   - strangers: those of the copy that are revoked, so that their names are free.
  ///   - wall: the time at which they are.
  /// - Returns: those that the copy is to have then.
  @discardableResult
  func put(into copy: Connection, revoking strangers: [AccessToken], wall: Int64) throws(SQLiteError) -> [AccessToken] {
    let expected = merged(with: try Self.tokens(of: copy), revoking: strangers, wall: wall)
    let revoke = try copy.prepare("UPDATE tokens SET revoked_at = ?2 WHERE id = ?1")
    for stranger in strangers {
      revoke.bind(stranger.id, at: 1)
      revoke.bind(wall, at: 2)
      try revoke.run()
    }
    let put = try copy.prepare(
      """
      INSERT INTO tokens(id, name, allow, digest, created_at, expires_at, revoked_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, allow = excluded.allow, digest = excluded.digest,
        expires_at = excluded.expires_at, revoked_at = excluded.revoked_at
      """)
    // Those that hold nothing any more first, for the same reason.
    for token in (tokens ?? []).sorted(by: { $0.revoked != nil && $1.revoked == nil }) {
      put.bind(token.id, at: 1)
      put.bind(token.name, at: 2)
      put.bind(token.rules.json, at: 3)
      put.bind(token.digest.hexadecimal, at: 4)
      put.bind(token.created.milliseconds, at: 5)
      put.bind(token.expires?.milliseconds, at: 6)
      put.bind(token.revoked?.milliseconds, at: 7)
      try put.run()
    }
    // A database that nobody may enter any more stays shut.
    if hasHadTokens == true { try copy.execute("UPDATE token_changes SET number = number + 1") }
    return expected
  }

  /// What `put` makes of the tokens of a copy.
  private func merged(with present: [AccessToken], revoking strangers: [AccessToken], wall: Int64) -> [AccessToken] {
    let revoked = Set(strangers.map { Array($0.id.utf8) })
    var tokens = Dictionary(uniqueKeysWithValues: present.map { (Array($0.id.utf8), $0) })
    for (id, token) in tokens where revoked.contains(id) {
      tokens[id] = token.with(created: token.created, revoked: Timestamp(milliseconds: wall))
    }
    for token in self.tokens ?? [] {
      let id = Array(token.id.utf8)
      tokens[id] = token.with(created: tokens[id]?.created ?? token.created, revoked: token.revoked)
    }
    return Array(tokens.values)
  }

  /// Whether a copy has these tokens and no others, and is shut where it is to be. A trigger that came with the backup may have
  /// undone any of it.
  func isKept(_ expected: [AccessToken], in copy: Connection) throws(SQLiteError) -> Bool {
    let order: (AccessToken, AccessToken) -> Bool = { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
    guard try Self.tokens(of: copy).sorted(by: order) == expected.sorted(by: order) else { return false }
    guard hasHadTokens == true else { return true }
    return try TokenTable(copy).changes() != 0
  }
}

extension AccessToken {
  fileprivate func with(created: Timestamp, revoked: Timestamp?) -> AccessToken {
    AccessToken(
      id: id, name: name, rules: rules, digest: digest, created: created, expires: expires, revoked: revoked)
  }
}
