import CSQLite
import DocketStore

/// What `PastReader` reads, within a deadline by the uptime clock.
extension ScanReader {
  func revision(at time: Timestamp, deadlineMilliseconds: Int64) -> Result<Revision, StoreError> {
    limited(deadlineMilliseconds) { () throws(SQLiteError) in try past.revision(at: time) }
  }

  func document(
    at path: DocumentPath, asOf moment: PastMoment, deadlineMilliseconds: Int64
  ) -> Result<Document?, StoreError> {
    limited(deadlineMilliseconds) { () throws(SQLiteError) in
      try past.document(at: path, asOf: moment) { isLimitReached }
    }
  }

  func scan<State>(
    _ collection: CollectionPath, after: String?, asOf moment: PastMoment, into state: State,
    deadlineMilliseconds: Int64, visit: (inout State, Document) -> ScanStep
  ) -> Result<(state: State, stoppedBehind: String?), StoreError> {
    var state = state
    return limited(deadlineMilliseconds) { () throws(SQLiteError) in
      let paths = PathRange(
        .collection(collection), after: after.map { DocumentPath(collection: collection, id: $0) })
      return try past.scan(paths, asOf: moment, isLate: { isLimitReached }) { $0.map { visit(&state, $0) } ?? .next }
    }.map { (state, $0?.id) }
  }

  func versions<State>(
    of path: DocumentPath, before: Revision?, into state: State, deadlineMilliseconds: Int64,
    visit: (inout State, Version) -> ScanStep
  ) -> Result<State?, StoreError> {
    var state = state
    return limited(deadlineMilliseconds) { () throws(SQLiteError) in
      try past.versions(of: path, before: before, isLate: { isLimitReached }) { visit(&state, $0) }
    }.map { $0 ? state : nil }
  }
}
