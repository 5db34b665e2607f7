import DocketStore

/// A moment in the past, as people name it.
public enum PastMomentChoice: Sendable, Equatable {
  case revision(Int64)
  case time(Timestamp)

  /// With so many numbers left that no file has room for the changes.
  private static let newestThatCanGoOn = Int64.max >> 1

  /// What a file's history has of it.
  func resolve(in connection: Connection, path: String, clock: WallClock) throws -> PastMoment {
    let range = try connection.prepare(
      "SELECT (SELECT min(sequence) FROM changes), (SELECT max(sequence) FROM changes)", persistent: false)
    _ = try range.step()
    let oldest = range.optionalInt64(0) ?? 1
    let newest = range.int64(1)
    range.reset()
    guard oldest >= 1, newest <= Self.newestThatCanGoOn else {
      throw CareError.failed(
        path: path,
        reason: "changes have numbers from \(oldest) to \(newest), which Docket has not given; see docket check")
    }
    let horizon = oldest - 1
    switch self {
    case .revision(let revision):
      guard revision >= horizon else { throw CareError.historyGone(path: path, oldest: horizon) }
      guard revision <= newest else { throw CareError.ahead(path: path, newest: newest) }
      return PastMoment(revision: Revision(revision))
    case .time(let time):
      let found = try PastReader(connection, clock: clock).revision(at: time)
      // It leaves its snapshot to the caller.
      if connection.isInTransaction { try connection.execute("COMMIT") }
      switch found {
      case .success(let revision): return PastMoment(revision: revision, time: time)
      case .failure(.historyGone(let oldest)): throw CareError.historyGone(path: path, oldest: oldest.rawValue)
      case .failure: throw CareError.ahead(path: path, newest: newest)
      }
    }
  }
}
