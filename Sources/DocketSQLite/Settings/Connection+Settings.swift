import CSQLite

/// How what settings need is made, in the open transaction.
extension Connection {
  /// Makes an object anew, in the place of what may stand under its name.
  func make(_ object: SettingsObject) throws(SQLiteError) {
    do {
      try execute(object.make)
    } catch {
      let isThere = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = \(SQLText.literal(object.name))"
      guard object.kind == .table, error.isDamage, try int64(isThere) != nil else { throw error }
      try takeOut(object)
      try execute(object.make)
    }
  }

  /// Whether an object that is in the schema works: a table of FTS5 needs the tables that it is made of.
  func isSound(_ object: SettingsObject) throws(SQLiteError) -> Bool {
    guard object.kind == .table else { return true }
    let names = object.shadows.map(SQLText.literal).joined(separator: ", ")
    let shadows = try int64("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (\(names))")
    guard shadows == Int64(object.shadows.count) else { return false }
    do {
      _ = try int64("SELECT rowid FROM \(SQLText.identifier(object.name)) LIMIT 1")
      return true
    } catch {
      guard error.isDamage else { throw error }
      return false
    }
  }

  /// Takes a damaged table of FTS5 out of the schema: SQLite cannot drop what it cannot open
  /// (https://sqlite.org/pragma.html#pragma_writable_schema).
  private func takeOut(_ table: SettingsObject) throws(SQLiteError) {
    setDefensive(false)
    defer { setDefensive(true) }
    try execute("PRAGMA writable_schema = ON")
    do {
      try execute("DELETE FROM sqlite_schema WHERE type = 'table' AND name = \(SQLText.literal(table.name))")
      try execute("PRAGMA writable_schema = RESET")
    } catch {
      try? execute("PRAGMA writable_schema = OFF")
      throw error
    }
    for shadow in table.shadows { try execute("DROP TABLE IF EXISTS \(SQLText.identifier(shadow))") }
  }
}

extension SQLiteError {
  fileprivate var isDamage: Bool { code == SQLITE_ERROR || code == SQLITE_CORRUPT }
}
