/// How large the history is, without walking it: what this process writes is counted, and of what was there before, or comes from
/// others, a few evenly spaced rows tell, since sequences are dense.
///
/// Rows go oldest first and are taken for average ones. So what was counted is right on the whole, however sizes differ; a few rows
/// alone would now and then find a large one, be far too much, and have history removed that is to stay.
struct HistorySize {
  private let connection: Connection
  private let sample: Statement
  private let pageCount: Statement
  private let freePageCount: Statement
  private let pageBytes: Int64
  /// Of the rows up to `newestKnown`.
  private var averageRowBytes: Double = 0
  private var newestKnown: Int64 = 0
  /// So many rows of others have come since a sample was taken.
  private var strangers: Int64 = 0

  private static let samples: Int64 = 256
  /// What a row takes besides its texts: numbers, header and cell pointer.
  private static let rowOverheadBytes: Int64 = 40

  init(_ connection: Connection) throws(SQLiteError) {
    self.connection = connection
    sample = try connection.prepare(
      """
      SELECT sequence, length(CAST(collection AS BLOB)) + length(CAST(id AS BLOB)), before IS NOT NULL
      FROM changes WHERE sequence >= ?1 ORDER BY sequence LIMIT 1
      """)
    pageCount = try connection.prepare("PRAGMA page_count")
    freePageCount = try connection.prepare("PRAGMA freelist_count")
    pageBytes = try connection.int64("PRAGMA page_size") ?? 4_096
  }

  /// How many bytes a row of history takes on average.
  /// - Parameter own: what of it this process has made since this was asked last.
  mutating func averageRowBytes(
    oldest: Int64, newest: Int64, own: (rows: Int64, bytes: Int64)
  ) throws(SQLiteError) -> Int64 {
    let rows = newest - oldest + 1
    strangers += max(newest - newestKnown - own.rows, 0)
    newestKnown = newest
    if strangers > rows / 8 {
      averageRowBytes = try sampledRowBytes(oldest: oldest, newest: newest)
      strangers = 0
    } else if own.rows > 0 {
      let others = max(rows - own.rows, 0)
      averageRowBytes = (averageRowBytes * Double(others) + Double(own.bytes)) / Double(others + own.rows)
    }
    return Int64(averageRowBytes)
  }

  private func sampledRowBytes(oldest: Int64, newest: Int64) throws(SQLiteError) -> Double {
    let step = max((newest - oldest + 1) / Self.samples, 1)
    var bytes: Int64 = 0
    var count: Int64 = 0
    // Each sample stands in the middle of its stretch.
    var sequence = oldest + step / 2
    while sequence <= newest {
      sample.bind(sequence, at: 1)
      defer { sample.reset() }
      guard try sample.step() else { break }
      let beforeBytes =
        try sample.int64(2) == 0
        ? 0 : Int64(connection.textBytes(table: "changes", column: "before", row: sample.int64(0)) ?? 0)
      bytes += Self.rowBytes(texts: sample.int64(1) + beforeBytes, pageBytes: pageBytes)
      count += 1
      sequence += step
    }
    return count == 0 ? 0 : Double(bytes) / Double(count)
  }

  /// How many bytes a row with texts of so many takes.
  static func rowBytes(texts: Int64, pageBytes: Int64) -> Int64 {
    let bytes = texts + rowOverheadBytes
    // What does not fit on a page is put on whole pages of its own.
    return bytes < pageBytes ? bytes : (bytes + pageBytes - 1) / pageBytes * pageBytes
  }

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
