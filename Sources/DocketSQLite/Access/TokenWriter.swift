import DocketJSON
import DocketStore

/// Makes and revokes tokens, in transactions of whoever has the connection.
struct TokenWriter {
  private let limits: TokenLimits
  private let savepoint: Savepoint
  private let named: Statement
  private let holding: Statement
  private let insert: Statement
  private let revoke: Statement
  private let clear: Statement

  init(_ connection: Connection, limits: TokenLimits) throws(SQLiteError) {
    self.limits = limits
    savepoint = try Savepoint(connection)
    named = try connection.prepare(
      // A name may look like an id; then it is the name that counts.
      """
      SELECT \(TokenTable.columns) FROM tokens WHERE revoked_at IS NULL AND ?1 IN (name, id)
      ORDER BY name <> ?1 LIMIT 1
      """)
    holding = try connection.prepare(
      "SELECT count(*) FROM tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)")
    insert = try connection.prepare(
      "INSERT INTO tokens(id, name, allow, digest, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    revoke = try connection.prepare("UPDATE tokens SET revoked_at = ?2 WHERE id = ?1")
    clear = try connection.prepare(
      """
      DELETE FROM tokens WHERE id IN (
        SELECT id FROM (
          SELECT id, coalesce(revoked_at, expires_at) AS ended_at,
            row_number() OVER (ORDER BY coalesce(revoked_at, expires_at) DESC, id) AS place
          FROM tokens WHERE id <> ?4 AND (revoked_at IS NOT NULL OR expires_at <= ?1))
        WHERE ended_at <= ?2 OR place > ?3)
      """)
  }

  /// Carries out a change in the open transaction, whole or not at all.
  /// - Parameter wall: the time by which tokens expire.
  func carryOut(_ change: TokenChange, wall: Int64) throws(SQLiteError) -> Result<AccessToken?, StoreError> {
    try savepoint.set()
    let result: Result<AccessToken?, StoreError>
    do {
      switch change {
      case .add(let token): result = try add(token, wall: wall).map { $0 }
      case .revoke(let name): result = .success(try revoke(name, wall: wall))
      }
    } catch {
      // By a trigger of the operator's. What else the transaction does has nothing to do with it.
      guard savepoint.isLeft(behind: error) else { throw error }
      try savepoint.goBack()
      return .failure(.refused(reason: error.message))
    }
    try savepoint.release()
    return result
  }

  private func add(_ new: NewToken, wall: Int64) throws(SQLiteError) -> Result<AccessToken, StoreError> {
    let other = try token(named: new.name).flatMap { $0.name == new.name ? $0 : nil }
    if let other, other.expires?.milliseconds ?? .max > wall { return .failure(.tokenExists(name: new.name)) }
    guard try count(wall: wall) < limits.holding else { return .failure(.tooManyTokens(limit: limits.holding)) }
    // One that has expired is of no use any more, and gives its name up.
    if let other { try mark(other.id, revokedAt: wall) }
    insert.bind(new.id, at: 1)
    insert.bind(new.name, at: 2)
    insert.bind(new.rules.json, at: 3)
    insert.bind(new.digest.hexadecimal, at: 4)
    insert.bind(wall, at: 5)
    insert.bind(new.expires?.milliseconds, at: 6)
    try insert.run()
    try clearEnded(butFor: new.id, wall: wall)
    return .success(
      AccessToken(
        id: new.id, name: new.name, rules: new.rules, digest: new.digest,
        created: Timestamp(milliseconds: wall), expires: new.expires, revoked: nil))
  }

  /// How many tokens hold.
  private func count(wall: Int64) throws(SQLiteError) -> Int {
    holding.bind(wall, at: 1)
    defer { holding.reset() }
    return try holding.step() ? Int(holding.int64(0)) : 0
  }

  /// - Parameter new: the token that was made just now, which may have expired as well.
  private func clearEnded(butFor new: String, wall: Int64) throws(SQLiteError) {
    clear.bind(wall, at: 1)
    clear.bind(wall - Int64(limits.endedDays) * 86_400_000, at: 2)
    clear.bind(Int64(limits.ended), at: 3)
    clear.bind(new, at: 4)
    try clear.run()
  }

  private func revoke(_ nameOrID: String, wall: Int64) throws(SQLiteError) -> AccessToken? {
    guard let token = try token(named: nameOrID) else { return nil }
    try mark(token.id, revokedAt: wall)
    return AccessToken(
      id: token.id, name: token.name, rules: token.rules, digest: token.digest, created: token.created,
      expires: token.expires, revoked: Timestamp(milliseconds: wall))
  }

  private func mark(_ id: String, revokedAt wall: Int64) throws(SQLiteError) {
    revoke.bind(id, at: 1)
    revoke.bind(wall, at: 2)
    try revoke.run()
  }

  /// The token of this name or id that is not revoked.
  private func token(named name: String) throws(SQLiteError) -> AccessToken? {
    named.bind(name, at: 1)
    defer { named.reset() }
    return try named.step() ? AccessToken(named) : nil
  }
}

/// What is to become of tokens.
enum TokenChange: Sendable {
  case add(NewToken)
  /// The one of this name or id.
  case revoke(String)
}
