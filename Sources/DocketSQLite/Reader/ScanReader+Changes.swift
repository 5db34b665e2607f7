import DocketStore

/// What `ChangeLogReader` reads, within a deadline by the uptime clock.
extension ScanReader {
  func changes<State>(
    _ range: ChangeRange, into state: State, deadlineMilliseconds: Int64, visit: (inout State, Change) -> ScanStep
  ) -> Result<(state: State, progress: ChangeProgress, history: String), StoreError> {
    var state = state
    return limited(deadlineMilliseconds) { () throws(SQLiteError) in
      let kept = try past.takeSnapshot()
      let history = try historyName()
      return try changeLog.visit(
        range, kept: kept, of: { _, _ in true }, isLate: { isLimitReached }, visit: { visit(&state, $0) }
      ).map { ($0, history) }
    }.map { (state, $0.0, $0.1) }
  }

  /// The newest change, and the name of the history.
  func newest() -> Result<(sequence: Revision, history: String), StoreError> {
    limited(.max) { () throws(SQLiteError) in
      .success((Revision(try past.takeSnapshot().newest), try historyName()))
    }
  }
}
