import DocketStore

/// Carries out queries on one connection: SQLite proposes documents, in the order of an index where there is one that
/// helps; whether they match is decided by `Filter`, and their order, where no index has it, by `FirstDocuments`.
struct QueryReader {
  private let rows: Statement
  private let live: Statement
  private let past: PastReader
  private let clock: WallClock

  init(_ connection: Connection, past: PastReader, clock: WallClock) throws(SQLiteError) {
    self.past = past
    self.clock = clock
    rows = try connection.prepare(
      """
      SELECT collection, id, revision, created_at, updated_at, expires_at, data FROM document_rows
      WHERE \(PathRange.sql) AND (expires_at IS NULL OR expires_at > ?4) ORDER BY collection, id
      """)
    // Entries of two indexes: much faster than a look at the rows.
    live = try connection.prepare(
      """
      SELECT (SELECT count(*) FROM document_rows WHERE \(PathRange.sql))
        - (SELECT count(*) FROM document_rows INDEXED BY expiries WHERE \(PathRange.sql) AND expires_at <= ?4)
      """)
  }

  /// - Parameters:
  ///   - isLate: whether the query must end.
  ///   - visit: takes the documents that match, in order.
  func run(
    _ query: Query, isLate: () -> Bool, visit: (Document) -> ScanStep
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    guard let keys = query.order, !keys.isEmpty else {
      let after = query.order == nil ? nil : query.after?.path
      var wanted = query.limit ?? .max
      return try walk(query, after: after, isLate: isLate) { document in
        wanted -= 1
        let step = visit(document)
        return wanted > 0 ? step : .stop
      }.map { QueryReport(isOrdered: true, scanned: $0) }
    }
    var first = FirstDocuments(
      QueryOrder(keys), after: query.after, limit: query.limit ?? .max, limitBytes: query.limitBytes)
    let scanned = try walk(query, after: nil, isLate: isLate) { document in
      first.add(document)
      return .next
    }
    return scanned.map { scanned in
      for document in first.sorted() { if case .stop = visit(document) { break } }
      return QueryReport(scanned: scanned)
    }
  }

  /// Counts the documents that match.
  func count(
    _ query: Query, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<(count: Int, report: QueryReport), StoreError> {
    if query.filter.isEverything, query.moment == nil {
      let range = PathRange(query.scope)
      range.bind(to: live)
      live.bind(clock.milliseconds(), at: 4)
      defer { live.reset() }
      let count = try live.step() ? Int(live.int64(0)) : 0
      return .success((count, QueryReport(isOrdered: true)))
    }
    var count = 0
    return try walk(query, after: nil, isLate: isLate) { _ in
      count += 1
      return .next
    }.map { (count, QueryReport(scanned: $0)) }
  }

  /// Visits the documents that match in the order of their paths. Returns how many were looked at.
  private func walk(
    _ query: Query, after: DocumentPath?, isLate: () -> Bool, visit: (Document) -> ScanStep
  ) throws(SQLiteError) -> Result<Int, StoreError> {
    let range = PathRange(query.scope, after: after)
    var scanned = 0
    /// Why not to go on, if so.
    func refusal() -> StoreError? {
      scanned += 1
      if let limit = query.scanLimit, scanned > limit { return .scanRefused(scanned: limit) }
      return isLate() ? .deadlineExceeded : nil
    }
    if let moment = query.moment {
      var failure: StoreError?
      let end = try past.scan(range, asOf: moment, links: .max, isLate: isLate) { document in
        failure = refusal()
        if failure != nil { return .stop }
        return query.filter.matches(document) ? visit(document) : .next
      }
      return failure.map { .failure($0) } ?? end.map { _ in scanned }
    }
    return try walkLive(query.filter, range, refusal: refusal, visit: visit).map { .failure($0) } ?? .success(scanned)
  }

  private func walkLive(
    _ filter: Filter, _ range: PathRange, refusal: () -> StoreError?, visit: (Document) -> ScanStep
  ) throws(SQLiteError) -> StoreError? {
    range.bind(to: rows)
    rows.bind(clock.milliseconds(), at: 4)
    defer { rows.reset() }
    while try rows.step() {
      if let refusal = refusal() { return refusal }
      let view = DocumentView(
        id: rows.bytes(1), revision: rows.int64(2), created: rows.int64(3), updated: rows.int64(4), data: rows.bytes(6))
      guard filter.matches(view) else { continue }
      let document = Document.read(
        DocumentPath(collection: CollectionPath(unchecked: rows.string(0)), id: rows.string(1)), revision: view.revision,
        created: view.created, updated: view.updated, expires: rows.optionalInt64(5), data: view.data)
      switch document {
      case .success(let document): if case .stop = visit(document) { return nil }
      case .failure(let error): return error
      }
    }
    return nil
  }
}
