import CSQLite

/// How far something has come that is done to a database file.
public struct CareProgress: Equatable, Sendable {
  /// What is being done, such as `checking changes`.
  public let step: String
  /// How much of the step is done; nil where that is not known.
  public let percent: Int?

  public init(step: String, percent: Int? = nil) {
    self.step = step
    self.percent = percent
  }
}

/// Tells somebody how far a step is, and asks whether to go on.
///
/// A class, so that SQLite's progress handler can ask as well; it is used by the thread of the work alone.
final class CareFollower {
  private let report: (CareProgress) -> Bool
  private var current = CareProgress(step: "")
  private var count: Int64 = 0

  /// Rows between two looks, and steps of SQLite's virtual machine.
  private static let rowsBetweenLooks: Int64 = 1_024
  private static let stepsBetweenLooks: Int32 = 100_000

  init(_ report: @escaping (CareProgress) -> Bool) {
    self.report = report
  }

  func begin(_ step: String) throws(CareError) {
    current = CareProgress(step: step)
    count = 0
    guard report(current) else { throw .stopped }
  }

  /// To be called for each row.
  func advance(_ done: Int64, of total: Int64) throws(CareError) {
    count += 1
    guard count % Self.rowsBetweenLooks == 0 else { return }
    try report(done, of: total)
  }

  /// To be called for each of what takes long by itself.
  func report(_ done: Int64, of total: Int64) throws(CareError) {
    let percent = total > 0 && done >= 0 ? Int(min(100, Double(done) / Double(total) * 100)) : nil
    current = CareProgress(step: current.step, percent: percent)
    guard report(current) else { throw .stopped }
  }

  /// Ends what a connection runs meanwhile once nobody wants it any more: it fails with SQLITE_INTERRUPT.
  func following<Value>(_ connection: Connection, _ body: () throws -> Value) rethrows -> Value {
    // https://sqlite.org/c3ref/progress_handler.html
    sqlite3_progress_handler(
      connection.handle, Self.stepsBetweenLooks,
      { follower in
        guard let follower else { return 0 }
        let unretained = Unmanaged<CareFollower>.fromOpaque(follower).takeUnretainedValue()
        return unretained.report(unretained.current) ? 0 : 1
      }, Unmanaged.passUnretained(self).toOpaque())
    defer {
      sqlite3_progress_handler(connection.handle, 0, nil, nil)
      withExtendedLifetime(self) {}
    }
    return try body()
  }
}
