import DocketStore

/// What becomes of tokens where a backup takes the place of a database.
public struct RestoredTokens: Sendable, Equatable {
  /// Those that only the backup has, and that are revoked.
  public internal(set) var revoked: [AccessToken] = []
  /// Those that only the backup has, and that hold.
  public internal(set) var kept: [AccessToken] = []
  /// Whether there are none at all, and nothing to tell whether there were any later: a server then takes every request.
  public internal(set) var mayOpenDoor = false

  init() {}

  /// - Parameters:
  ///   - former: those of the database.
  ///   - areKept: whether those that only the backup has are to hold.
  init(of backup: Connection, beside former: TokenRetention, areKept: Bool) throws(SQLiteError) {
    for token in try former.strangers(in: backup) {
      if areKept, !former.hasTakenName(of: token) { kept.append(token) } else { revoked.append(token) }
    }
    mayOpenDoor = former.tokens == nil && !TokenRetention(of: backup).mayHaveTokens
  }
}
