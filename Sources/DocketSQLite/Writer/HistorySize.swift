/// Estimates how large the history is, without walking it: sequences are dense, so a few evenly spaced rows tell.
struct HistorySize {
  private let connection: Connection
  private let sample: Statement
  private let pageCount: Statement
  private let freePageCount: Statement
  private let pageBytes: Int64

  private static let samples: Int64 = 32
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
  func averageRowBytes(oldest: Int64, newest: Int64) throws(SQLiteError) -> Int64 {
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
      let rowBytes = sample.int64(1) + beforeBytes + Self.rowOverheadBytes
      // What does not fit on a page is put on whole pages of its own.
      bytes += rowBytes < pageBytes ? rowBytes : (rowBytes + pageBytes - 1) / pageBytes * pageBytes
      count += 1
      sequence += step
    }
    return count == 0 ? 0 : bytes / count
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
