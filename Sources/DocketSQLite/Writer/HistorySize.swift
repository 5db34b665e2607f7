/// How much room the history takes: known exactly for its newer part, from one row on.
///
/// What this process writes is counted as it is written. What was there before, or comes from others, is measured row by row, the
/// newest first, a few at each call. What is older than the known part needs no measuring once that fills what the history may have.
struct HistorySize {
  private let tables: DocumentTables
  private let connection: Connection
  private let selectRows: Statement
  private let pageCount: Statement
  private let freePageCount: Statement
  private let pageBytes: Int64
  /// The known part: its first row, its last one, and how many bytes it takes.
  private var first: Int64
  private var last: Int64
  private var bytes: Int64 = 0

  /// So many rows of others among those of this process are measured at once, and so many more for each of its own, as triggers write
  /// them; where there are more, it is as if all had been there before.
  private static let strangerRows: Int64 = 4_096
  private static let strangersForOwn: Int64 = 8
  /// What a row takes besides its texts: numbers, header and cell pointer.
  private static let rowOverheadBytes: Int64 = 40

  init(_ connection: Connection, tables: DocumentTables) throws(SQLiteError) {
    self.connection = connection
    self.tables = tables
    // Only the length of the document is read, not its text.
    selectRows = try connection.prepare(
      """
      SELECT sequence, length(CAST(collection AS BLOB)) + length(CAST(id AS BLOB)), before IS NOT NULL
      FROM changes WHERE sequence BETWEEN ?1 AND ?2 ORDER BY sequence DESC LIMIT ?3
      """)
    pageCount = try connection.prepare("PRAGMA page_count")
    freePageCount = try connection.prepare("PRAGMA freelist_count")
    pageBytes = try connection.int64("PRAGMA page_size") ?? 4_096
    last = try connection.int64("SELECT max(sequence) FROM changes") ?? 0
    first = last + 1
  }

  // MARK: The known part

  /// How many bytes the known part takes, with what is not committed yet.
  var knownBytes: Int64 { bytes + tables.uncommittedHistoryBytes }

  /// Takes notice of what has been committed, by this process and by others.
  /// - Parameters:
  ///   - oldest: the oldest row that there is.
  ///   - committed: the newest one that cannot be undone any more.
  mutating func follow(oldest: Int64, committed: Int64) throws(SQLiteError) {
    let own = tables.takeHistory(through: committed)
    let strangers = committed - last - Int64(own.count)
    defer { last = committed }
    // Whoever else has removed rows has not told how large they were.
    guard committed >= last, oldest <= first, own.first.map({ $0.sequence > last }) ?? true,
      strangers <= Self.strangerRows + Self.strangersForOwn * Int64(own.count)
    else { return (first, bytes) = (committed + 1, 0) }
    bytes += own.reduce(0) { $0 + $1.bytes }
    if strangers > 0 { try measureStrangers(among: own, through: committed) }
  }

  private mutating func measureStrangers(among own: [HistoryTally.Change], through committed: Int64) throws(SQLiteError)
  {
    var next = last + 1
    for sequence in own.lazy.map(\.sequence) {
      if sequence > next { bytes += try measure(next...sequence - 1).bytes }
      next = sequence + 1
    }
    if next <= committed { bytes += try measure(next...committed).bytes }
  }

  /// Measures some more rows. Returns false where there are none.
  /// - Parameter oldest: the oldest row that there is.
  mutating func learn(oldest: Int64, rows: Int64) throws(SQLiteError) -> Bool {
    guard first > oldest else { return false }
    let measured = try measure(oldest...first - 1, limit: rows)
    bytes += measured.bytes
    first = measured.rows == rows ? measured.oldest : oldest
    return true
  }

  /// - Parameter texts: how long its texts are, in bytes.
  mutating func willRemove(_ sequence: Int64, texts: Int64) {
    guard sequence >= first else { return }
    bytes -= Self.rowBytes(texts: texts, pageBytes: pageBytes)
    first = sequence + 1
  }

  private func measure(
    _ range: ClosedRange<Int64>, limit: Int64 = .max
  ) throws(SQLiteError) -> (rows: Int64, bytes: Int64, oldest: Int64) {
    var result = (rows: Int64(0), bytes: Int64(0), oldest: range.upperBound)
    selectRows.bind(range.lowerBound, at: 1)
    selectRows.bind(range.upperBound, at: 2)
    selectRows.bind(limit, at: 3)
    defer { selectRows.reset() }
    while try selectRows.step() {
      result.oldest = selectRows.int64(0)
      let before =
        try selectRows.int64(2) == 0
        ? 0 : Int64(connection.textBytes(table: "changes", column: "before", row: result.oldest) ?? 0)
      result.rows += 1
      result.bytes += Self.rowBytes(texts: selectRows.int64(1) + before, pageBytes: pageBytes)
    }
    return result
  }

  /// How many bytes a row with texts of so many takes.
  static func rowBytes(texts: Int64, pageBytes: Int64) -> Int64 {
    let bytes = texts + rowOverheadBytes
    // What does not fit on a page is put on whole pages of its own.
    return bytes < pageBytes ? bytes : (bytes + pageBytes - 1) / pageBytes * pageBytes
  }

  // MARK: The file

  /// The part of the file that is in use, in bytes.
  func usedBytes() throws(SQLiteError) -> Int64 {
    (try value(pageCount) - freePages()) * pageBytes
  }

  /// How many pages of the file are free.
  func freePages() throws(SQLiteError) -> Int64 {
    try value(freePageCount)
  }

  private func value(_ pragma: Statement) throws(SQLiteError) -> Int64 {
    defer { pragma.reset() }
    return try pragma.step() ? pragma.int64(0) : 0
  }
}
