import DocketStore

/// What `IndexCatalog` reads.
extension ScanReader {
  func settings(of collection: CollectionPath) -> Result<CollectionSettings?, StoreError> {
    limited(.max) { () throws(SQLiteError) in .success(try queries.catalog.settings(of: collection)) }
  }

  func allSettings() -> Result<[NamedSettings], StoreError> {
    limited(.max) { () throws(SQLiteError) in .success(try queries.catalog.all()) }
  }
}

extension ScanReader {
  func tokens(after place: TokenPlace?, limit: Int) -> Result<[AccessToken], StoreError> {
    limited(.max) { () throws(SQLiteError) in .success(try tokens.tokens(after: place, limit: limit)) }
  }
}

/// What `QueryReader` reads, within a deadline by the uptime clock that counts from the call.
extension ScanReader {
  func query<State>(
    _ query: Query, into state: State, deadlineMilliseconds: Int64, cancellation: QueryCancellation?,
    visit: (inout State, DocumentView) -> ScanStep
  ) -> Result<(state: State, report: QueryReport), StoreError> {
    var state = state
    return limited(deadlineMilliseconds, cancellation: cancellation) { () throws(SQLiteError) in
      try queries.run(query, isLate: { isLimitReached }) { visit(&state, $0) }
    }.map { (state, $0) }
  }

  func search<State>(
    _ query: Query, into state: State, deadlineMilliseconds: Int64, cancellation: QueryCancellation?,
    visit: (inout State, TextMatch) -> ScanStep
  ) -> Result<(state: State, report: QueryReport), StoreError> {
    var state = state
    return limited(deadlineMilliseconds, cancellation: cancellation) { () throws(SQLiteError) in
      try queries.texts.search(query, isLate: { isLimitReached }) { visit(&state, $0) }
    }.map { (state, $0) }
  }

  func count(
    _ query: Query, deadlineMilliseconds: Int64, cancellation: QueryCancellation?
  ) -> Result<(count: Int, report: QueryReport), StoreError> {
    limited(deadlineMilliseconds, cancellation: cancellation) { () throws(SQLiteError) in
      try queries.count(query, isLate: { isLimitReached })
    }
  }
}
