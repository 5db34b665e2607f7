import DocketJSON
import DocketStore

/// The table of tokens, as one connection reads and writes it.
struct TokenTable {
  private static let columns = "id, name, allow, digest, created_at, expires_at, revoked_at"

  private let savepoint: Savepoint
  private let all: Statement
  private let named: Statement
  private let insert: Statement
  private let revoke: Statement

  init(_ connection: Connection) throws(SQLiteError) {
    savepoint = try Savepoint(connection)
    all = try connection.prepare("SELECT \(Self.columns) FROM tokens ORDER BY created_at, id")
    named = try connection.prepare(
      // A name may look like an id; then it is the name that counts.
      "SELECT \(Self.columns) FROM tokens WHERE revoked_at IS NULL AND ?1 IN (name, id) ORDER BY name <> ?1 LIMIT 1")
    insert = try connection.prepare(
      "INSERT INTO tokens(id, name, allow, digest, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    revoke = try connection.prepare("UPDATE tokens SET revoked_at = ?2 WHERE id = ?1")
  }

  /// The oldest first.
  func tokens() throws(SQLiteError) -> [AccessToken] {
    defer { all.reset() }
    var tokens: [AccessToken] = []
    while try all.step() { tokens.append(AccessToken(all)) }
    return tokens
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
      guard error.isRefusal else { throw error }
      try savepoint.goBack()
      return .failure(.refused(reason: error.message))
    }
    try savepoint.release()
    return result
  }

  private func add(_ new: NewToken, wall: Int64) throws(SQLiteError) -> Result<AccessToken, StoreError> {
    if let other = try token(named: new.name), other.name == new.name {
      guard let end = other.expires, end.milliseconds <= wall else { return .failure(.tokenExists(name: new.name)) }
      // It is of no use any more, and gives its name up.
      try mark(other.id, revokedAt: wall)
    }
    insert.bind(new.id, at: 1)
    insert.bind(new.name, at: 2)
    insert.bind(new.rules.json, at: 3)
    insert.bind(new.digest.hexadecimal, at: 4)
    insert.bind(wall, at: 5)
    insert.bind(new.expires?.milliseconds, at: 6)
    try insert.run()
    return .success(
      AccessToken(
        id: new.id, name: new.name, rules: new.rules, digest: new.digest,
        created: Timestamp(milliseconds: wall), expires: new.expires, revoked: nil))
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

extension AccessToken {
  /// - Parameter row: a statement that stands on a row of `TokenTable.columns`.
  fileprivate init(_ row: Statement) {
    self.init(
      id: row.string(0), name: row.string(1), rules: AccessRules(stored: row.bytes(2)),
      digest: [UInt8](hexadecimal: row.string(3)) ?? [], created: Timestamp(milliseconds: row.int64(4)),
      expires: row.optionalInt64(5).map(Timestamp.init(milliseconds:)),
      revoked: row.optionalInt64(6).map(Timestamp.init(milliseconds:)))
  }
}
