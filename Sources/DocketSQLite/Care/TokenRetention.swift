import CSQLite
import DocketStore

/// The tokens of a database that a backup takes the place of: who may do what is a matter of today, and a restored backup must
/// neither open what was closed nor bring back a token that was revoked since.
struct TokenRetention {
  private let tokens: [AccessToken]

  /// - Parameter database: nil: there is none that could be read.
  init(of database: Connection?) throws(SQLiteError) {
    guard let database,
      try database.int64("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tokens'") != nil
    else {
      tokens = []
      return
    }
    tokens = try TokenTable(database).tokens()
  }

  /// Puts them into the copy of a backup that has the newest schema. What the backup says of the same tokens gives way.
  func put(into copy: Connection) throws(SQLiteError) {
    guard !tokens.isEmpty else { return }
    let displace = try copy.prepare(
      "UPDATE tokens SET revoked_at = created_at WHERE name = ?1 AND id <> ?2 AND revoked_at IS NULL")
    let put = try copy.prepare(
      """
      INSERT INTO tokens(id, name, allow, digest, created_at, expires_at, revoked_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, allow = excluded.allow, digest = excluded.digest,
        expires_at = excluded.expires_at, revoked_at = excluded.revoked_at
      """)
    // Those that hold nothing any more first, so that their names are free.
    for token in tokens.sorted(by: { $0.revoked != nil && $1.revoked == nil }) {
      if token.revoked == nil {
        displace.bind(token.name, at: 1)
        displace.bind(token.id, at: 2)
        try displace.run()
      }
      put.bind(token.id, at: 1)
      put.bind(token.name, at: 2)
      put.bind(token.rules.json, at: 3)
      put.bind(token.digest.hexadecimal, at: 4)
      put.bind(token.created.milliseconds, at: 5)
      put.bind(token.expires?.milliseconds, at: 6)
      put.bind(token.revoked?.milliseconds, at: 7)
      try put.run()
    }
  }
}
