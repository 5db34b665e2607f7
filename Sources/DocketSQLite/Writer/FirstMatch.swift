import CSQLite
import DocketJSON
import DocketStore
import Migrations
import NIOCore

/// Finds the first live document of a collection, in the order of ids, that is a given JSON value.
///
/// SQL only proposes: what it takes for the value of a text is cut or rounded, so `JSONEquality` decides. In the list of
/// the original routes an index finds the candidates; elsewhere, and for numbers at the end of SQLite's range, all
/// documents are.
struct FirstMatch {
  private let walk: Statement
  private let indexed: Statement
  private let indexedRange: Statement

  private let connection: Connection
  private let searchMilliseconds: Int64

  /// So many candidates pass between two looks at the clock.
  private static let candidatesBetweenLooks = 64
  /// So many steps of SQLite's virtual machine do.
  private static let stepsBetweenLooks: Int32 = 1_000
  private static let indexedCollection = CollectionPath(unchecked: "/item/")

  /// - Parameter searchMilliseconds: how long one search may take; all other writes wait meanwhile.
  init(_ connection: Connection, searchMilliseconds: Int64) throws(SQLiteError) {
    self.connection = connection
    self.searchMilliseconds = searchMilliseconds
    let isLive = "(expires_at IS NULL OR expires_at > ?1)"
    walk = try connection.prepare(
      "SELECT id, data FROM document_rows WHERE collection = ?2 AND \(isLive) ORDER BY id")
    let list = """
      SELECT id, data FROM document_rows INDEXED BY \(ItemValueIndex.name)
      WHERE collection = '/item/' AND \(isLive) AND \(ItemValueIndex.expression)
      """
    indexed = try connection.prepare("\(list) = \(ItemValueIndex.expression(of: "?2")) ORDER BY id")
    indexedRange = try connection.prepare("\(list) BETWEEN ?2 AND ?3 ORDER BY id")
  }

  /// - Parameters:
  ///   - value: valid JSON text.
  ///   - wall: the time by which documents expire.
  /// - Returns: the document's id; a failure where the search took too long.
  func first(
    in collection: CollectionPath, equalTo value: ByteBuffer, wall: Int64
  ) throws(SQLiteError) -> Result<String?, StoreError> {
    let deadline = WallClock.uptimeMilliseconds() + searchMilliseconds
    return try value.withUnsafeReadableBytes { value in
      Result { () throws(SQLiteError) in
        try limited(to: deadline) { () throws(SQLiteError) in
          try first(in: collection, equalTo: value, wall: wall, until: deadline)
        }
      }
    }.get()
  }

  /// Has SQLite look at the clock as well: what it sorts it has read before the first step ends.
  private func limited(
    to deadline: Int64, _ search: () throws(SQLiteError) -> Result<String?, StoreError>
  ) throws(SQLiteError) -> Result<String?, StoreError> {
    var deadline = deadline
    return try withUnsafeMutablePointer(to: &deadline) { deadline throws(SQLiteError) in
      // https://sqlite.org/c3ref/progress_handler.html
      sqlite3_progress_handler(
        connection.handle, Self.stepsBetweenLooks,
        { deadline in
          guard let deadline else { return 0 }
          return WallClock.uptimeMilliseconds() > deadline.load(as: Int64.self) ? 1 : 0
        }, deadline)
      defer { sqlite3_progress_handler(connection.handle, 0, nil, nil) }
      do throws(SQLiteError) {
        return try search()
      } catch {
        // The end of a statement that only reads undoes nothing of the transaction around it.
        guard error.code == SQLITE_INTERRUPT, WallClock.uptimeMilliseconds() > deadline.pointee else { throw error }
        return .failure(.deadlineExceeded)
      }
    }
  }

  private func first(
    in collection: CollectionPath, equalTo value: UnsafeRawBufferPointer, wall: Int64, until deadline: Int64
  ) throws(SQLiteError) -> Result<String?, StoreError> {
    let candidates = candidates(in: collection, for: value)
    candidates.bind(wall, at: 1)
    defer { candidates.reset() }
    var count = 0
    while try candidates.step() {
      count += 1
      if count % Self.candidatesBetweenLooks == 0, WallClock.uptimeMilliseconds() > deadline {
        return .failure(.deadlineExceeded)
      }
      let candidate = candidates.bytes(1)
      // What is not JSON equals nothing.
      guard (try? JSONScanner.validate(candidate)) != nil else { continue }
      if JSONEquality.same(value, candidate) { return .success(candidates.string(0)) }
    }
    return .success(nil)
  }

  /// The statement that walks the candidates, bound but for the time.
  private func candidates(in collection: CollectionPath, for value: UnsafeRawBufferPointer) -> Statement {
    if collection == Self.indexedCollection {
      guard let number = Self.number(value) else {
        indexed.bind(borrowing: value, at: 2)
        return indexed
      }
      if let range = Self.candidates(for: number) {
        indexedRange.bind(real: range.lowerBound, at: 2)
        indexedRange.bind(real: range.upperBound, at: 3)
        return indexedRange
      }
    }
    walk.bind(collection.description, at: 2)
    return walk
  }

  /// The value of a JSON text that is a number, rounded; nil if it is something else.
  private static func number(_ text: UnsafeRawBufferPointer) -> Double? {
    let digits = text.filter { $0 > UInt8(ascii: " ") }
    guard let first = digits.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else { return nil }
    return Double(String(decoding: digits, as: UTF8.self))
  }

  /// Where SQLite, whose conversion of text is off by some units in the last place, may have put equal numbers; nil at
  /// the ends of the range, where it may be off by more.
  static func candidates(for number: Double) -> ClosedRange<Double>? {
    let magnitude = abs(number)
    if magnitude == 0 { return -1e-290...1e-290 }
    guard magnitude > 1e-290, magnitude < 1e290 else { return nil }
    return (number - magnitude * 1e-12)...(number + magnitude * 1e-12)
  }
}
