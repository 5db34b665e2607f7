import CSQLite

extension CheckRun {
  /// What FTS5 keeps for a collection. Its own `integrity-check` is a write, so the same is found out by reading: that each
  /// document's texts are there as they are now, that nothing else is, and that the index can be read to its end and counts
  /// as many words as the rows say that they hold.
  mutating func checkTexts(_ text: TextSchema) throws {
    let queries: [(query: String, problem: String)] = [
      (text.documentsWithOtherTexts, "is not searched by the texts that it has"),
      (text.textsWithoutDocument, "is no longer a document, but is searched"),
    ]
    do {
      for (query, problem) in queries {
        let rows = try connection.prepare(query, persistent: false)
        while try rows.step() {
          try follower.advance(0, of: 0)
          add(.text, "\(text.collection)\(rows.string(0)) \(problem)")
        }
      }
      try checkWords(of: text)
    } catch let error as SQLiteError {
      guard error.code == SQLITE_CORRUPT || error.code == SQLITE_ERROR else { throw error }
      add(.text, "table \(text.name) cannot be read: \(error.message)")
    }
  }

  /// Goes through the whole index of words (https://sqlite.org/fts5.html, "The fts5vocab Virtual Table Module").
  private mutating func checkWords(of text: TextSchema) throws {
    // What is temporary is no part of the file.
    try connection.execute("PRAGMA query_only = OFF")
    defer {
      try? connection.execute("DROP TABLE IF EXISTS temp.words; PRAGMA query_only = ON")
    }
    try connection.execute(
      "CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', \(SQLText.literal(text.name)), 'row')")
    let words = try connection.int64("SELECT coalesce(sum(cnt), 0) FROM temp.words") ?? 0
    let sizes = try connection.prepare(
      "SELECT sz FROM \(SQLText.identifier("\(text.name)_docsize"))", persistent: false)
    var counted: Int64 = 0
    while try sizes.step() {
      try follower.advance(0, of: 0)
      counted &+= Self.sum(ofVarints: sizes.blob(0))
    }
    if words != counted {
      add(.text, "the index of table \(text.name) holds \(words) words, and its rows \(counted)")
    }
  }

  /// Each column's count of words, as SQLite writes numbers of variable length (https://sqlite.org/fileformat.html).
  private static func sum(ofVarints bytes: UnsafeRawBufferPointer) -> Int64 {
    var sum: Int64 = 0
    var value: Int64 = 0
    for byte in bytes {
      value = value << 7 | Int64(byte & 0x7F)
      guard byte & 0x80 == 0 else { continue }
      sum &+= value
      value = 0
    }
    return sum
  }
}
