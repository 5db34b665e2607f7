import DocketStore

extension CheckRun {
  /// The tokens, and what tells that there have been some: without it a restart would open a server that tokens have shut.
  mutating func checkTokens() throws(SQLiteError) {
    let counts = try connection.prepare(
      "SELECT (SELECT count(*) FROM token_changes), (SELECT max(number) FROM token_changes), EXISTS (SELECT 1 FROM tokens)",
      persistent: false)
    guard try counts.step() else { return }
    if counts.int64(0) != 1 {
      add(
        .token, "token_changes has \(counts.int64(0)) rows, and not the one that tells whether there has been a token")
    } else if counts.int64(2) == 1, counts.int64(1) < 1 {
      add(.token, "token_changes says that there has never been a token, and tokens has some")
    }
    let rows = try connection.prepare(
      "SELECT id, name, allow, digest FROM tokens WHERE revoked_at IS NULL ORDER BY id", persistent: false)
    while try rows.step() {
      let (id, name) = (rows.string(0), rows.string(1))
      if AccessRules(stored: rows.bytes(2)).rules.isEmpty {
        add(.token, "token \(id) ('\(name)'): what it allows cannot be read, so that it allows nothing")
      }
      let digest = rows.string(3).utf8
      if digest.count != 64 || !digest.allSatisfy({ $0.hexValue != nil }) {
        add(.token, "token \(id) ('\(name)'): its digest is no 64 hexadecimal digits, so that nobody can show it")
      }
    }
  }
}
