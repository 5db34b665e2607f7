import DocketStore

/// Carries out queries on one connection: SQLite proposes documents, out of the index that helps most if there is one;
/// whether they match is decided by `Filter`, and their order, where no index has it, by `FirstDocuments`.
struct QueryReader {
  private let connection: Connection
  private let begin: Statement
  private let rows: Statement
  private let live: Statement
  private let statements: IndexStatements
  let catalog: IndexCatalog
  let texts: TextReader
  private let past: PastReader
  private let clock: WallClock

  init(_ connection: Connection, past: PastReader, clock: WallClock) throws(SQLiteError) {
    self.connection = connection
    self.past = past
    self.clock = clock
    statements = IndexStatements(connection)
    catalog = try IndexCatalog(connection)
    texts = TextReader(connection, catalog: catalog, clock: clock)
    begin = try connection.prepare("BEGIN")
    rows = try connection.prepare(
      """
      SELECT collection, id, revision, created_at, updated_at, expires_at, data FROM document_rows
      WHERE \(PathRange.sql) AND (expires_at IS NULL OR expires_at > ?5) ORDER BY collection, id
      """)
    // Entries of two indexes: much faster than a look at the rows.
    live = try connection.prepare(
      """
      SELECT (SELECT count(*) FROM document_rows WHERE \(PathRange.sql))
        - (SELECT count(*) FROM document_rows INDEXED BY expiries WHERE \(PathRange.sql) AND expires_at <= ?5)
      """)
  }

  /// Visits the documents that match, in the query's order, in one snapshot, which is for the caller to give back.
  /// - Parameter isLate: whether the query must end.
  func run(
    _ query: Query, isLate: () -> Bool, visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    var count = 0
    var bytes = 0
    func visitWanted(_ document: DocumentView) -> ScanStep {
      count += 1
      bytes += document.data.count
      let step = visit(document)
      return count >= query.limit ?? .max || (count >= 2 && bytes >= query.limitBytes) ? .stop : step
    }
    if query.text != nil { return try texts.walk(query, isLate: isLate) { visitWanted($0) } }
    if query.moment == nil {
      try takeSnapshot()
      if ids(query)?.arePoints != true, let plan = try catalog.plan(for: query) {
        return try run(plan, query, isLate: isLate, visit: visitWanted)
      }
    }
    guard let keys = query.order, !keys.isEmpty else {
      let after = query.order == nil ? nil : query.after?.path
      return try walk(query, after: after, isLate: isLate, visit: visitWanted)
        .map { report(query, isOrdered: true, scanned: $0) }
    }
    var first = FirstDocuments(
      QueryOrder(keys), after: query.after, limit: query.limit ?? .max, limitBytes: query.limitBytes)
    return try walk(query, after: nil, isLate: isLate) { document in
      first.add(document)
      return .next
    }.map { scanned in
      for document in first.sorted() { if case .stop = document.withView(visit) { break } }
      return report(query, isOrdered: false, scanned: scanned)
    }
  }

  /// Which ids of one collection a query leaves, as it stands now; nil: any.
  private func ids(_ query: Query) -> IDRuns? {
    guard case .collection = query.scope, query.moment == nil else { return nil }
    return IDRuns(query.filter)
  }

  /// How documents were found in the order of their paths.
  private func report(_ query: Query, isOrdered: Bool, scanned: Int) -> QueryReport {
    QueryReport(index: ids(query) == nil ? nil : ["@id"], isOrdered: isOrdered, scanned: scanned)
  }

  /// Counts the documents that match.
  func count(
    _ query: Query, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<(count: Int, report: QueryReport), StoreError> {
    var query = query
    query.order = nil
    query.after = nil
    query.limit = nil
    if query.text != nil { return try texts.count(query, isLate: isLate) }
    if query.moment == nil {
      try takeSnapshot()
      if query.matchesEverything {
        let range = PathRange(query.scope)
        range.bind(to: live)
        live.bind(clock.milliseconds(), at: 5)
        defer { live.reset() }
        return .success((try live.step() ? Int(live.int64(0)) : 0, QueryReport()))
      }
      if query.readable == nil, let plan = try catalog.plan(for: query), plan.isExact, ids(query)?.arePoints != true {
        return try count(plan, query, isLate: isLate)
      }
    }
    var count = 0
    let report = try run(query, isLate: isLate) { _ in
      count += 1
      return .next
    }
    return report.map { (count, $0) }
  }

  private func takeSnapshot() throws(SQLiteError) {
    if !connection.isInTransaction { try begin.run() }
  }

  // MARK: Without an index

  /// Visits the documents that match in the order of their paths. Returns how many were looked at.
  private func walk(
    _ query: Query, after: DocumentPath?, isLate: () -> Bool, visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<Int, StoreError> {
    guard query.moment == nil else { return try walkPast(query, after: after, isLate: isLate, visit: visit) }
    var scanned = 0
    guard let ids = ids(query) else {
      let range = PathRange(query.scope, after: after)
      return try look(in: range, query, scanned: &scanned, isLate: isLate, visit: visit).map { _ in scanned }
    }
    var found = query
    found.scanLimit = nil
    for run in ids.runs {
      let range = PathRange(query.scope, ids: run, after: after)
      switch try look(in: range, found, scanned: &scanned, isLate: isLate, visit: visit) {
      case .success(.next): break
      case .success(.stop): return .success(scanned)
      case .failure(let error): return .failure(error)
      }
    }
    return .success(scanned)
  }

  private func look(
    in range: PathRange, _ query: Query, scanned: inout Int, isLate: () -> Bool, visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<ScanStep, StoreError> {
    range.bind(to: rows)
    rows.bind(clock.milliseconds(), at: 5)
    return try look(at: rows, query, scanned: &scanned, isLate: isLate, visit: visit)
  }

  private func walkPast(
    _ query: Query, after: DocumentPath?, isLate: () -> Bool, visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<Int, StoreError> {
    guard let moment = query.moment else { preconditionFailure("a walk through the past has a moment") }
    var scanned = 0
    var isRefused = false
    let end = try past.scan(
      PathRange(query.scope, after: after), asOf: moment, within: query.readable, links: .max, isLate: isLate
    ) { document in
      scanned += 1
      isRefused = scanned > query.scanLimit ?? .max
      if isRefused { return .stop }
      return document?.withView { query.matches($0) ? visit($0) : .next } ?? .next
    }
    if isRefused { return .failure(.scanRefused(scanned: scanned - 1)) }
    return end.map { _ in scanned }
  }

  /// Visits those of a statement's documents that match. Returns whether it was told to stop.
  private func look(
    at rows: Statement, _ query: Query, scanned: inout Int, isLate: () -> Bool, visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<ScanStep, StoreError> {
    defer { rows.reset() }
    while try rows.step() {
      scanned += 1
      if let limit = query.scanLimit, scanned > limit { return .failure(.scanRefused(scanned: limit)) }
      if isLate() { return .failure(.deadlineExceeded) }
      let view = DocumentView(
        collection: rows.bytes(0), id: rows.bytes(1), revision: rows.int64(2), created: rows.int64(3),
        updated: rows.int64(4), expires: rows.optionalInt64(5), data: rows.bytes(6))
      guard query.matches(view) else { continue }
      if let defect = view.defect { return .failure(defect) }
      if case .stop = visit(view) { return .success(.stop) }
    }
    return .success(.next)
  }

  // MARK: With an index

  private func run(
    _ plan: IndexPlan, _ query: Query, isLate: () -> Bool, visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<QueryReport, StoreError> {
    var report = QueryReport(index: plan.schema.index.names, isOrdered: plan.sorted != nil, scanned: 0)
    let wall = clock.milliseconds()
    let order = QueryOrder(query.order ?? [])
    // What SQLite has only roughly is sorted here, and so is all where the index has another order.
    var first = FirstDocuments(order, after: query.after, limit: query.limit ?? .max, limitBytes: query.limitBytes)
    func collect(_ document: DocumentView) -> ScanStep {
      first.add(document)
      return .next
    }
    // Where the order does not matter nothing is collected: nothing says how much that would be.
    let isUnordered = query.order == nil
    switch try lookAtRough(plan, query, &report, wall: wall, isLate: isLate, visit: isUnordered ? visit : collect) {
    case .failure(let error): return .failure(error)
    case .success(.stop): return .success(report)
    case .success(.next): break
    }
    let isStreamed = plan.sorted != nil || isUnordered
    // Few, and in order: they are put among the others as these come.
    var waiting = isStreamed ? first.sorted()[...] : []
    func merge(_ document: DocumentView) -> ScanStep {
      while let next = waiting.first, order.order(order.position(of: next), order.position(of: document)) < 0 {
        waiting.removeFirst()
        if case .stop = next.withView(visit) { return .stop }
      }
      return visit(document)
    }
    var known = query
    known.scanLimit = nil
    if plan.isExact { known.filter = .everything }
    for conditions in IndexSegments(plan, query.order ?? [], after: query.after).conditions {
      let statement = try statements.statement(.documents, plan, conditions, wall: wall)
      let step = try look(at: statement, known, scanned: &report.scanned, isLate: isLate) { document in
        guard isStreamed else { return collect(document) }
        if let after = query.after, order.order(order.position(of: document), after) <= 0 { return .next }
        return merge(document)
      }
      switch step {
      case .failure(let error): return .failure(error)
      case .success(.stop): return .success(report)
      case .success(.next): break
      }
    }
    if !isStreamed { waiting = first.sorted()[...] }
    for document in waiting { if case .stop = document.withView(visit) { break } }
    return .success(report)
  }

  private func count(
    _ plan: IndexPlan, _ query: Query, isLate: () -> Bool
  ) throws(SQLiteError) -> Result<(count: Int, report: QueryReport), StoreError> {
    var report = QueryReport(index: plan.schema.index.names, isOrdered: false, scanned: 0)
    let wall = clock.milliseconds()
    var count = 0
    let end = try lookAtRough(plan, query, &report, wall: wall, isLate: isLate) { _ in
      count += 1
      return .next
    }
    if case .failure(let error) = end { return .failure(error) }
    for conditions in IndexSegments(plan, [], after: nil).conditions {
      let entries = try statements.statement(.count, plan, conditions, wall: wall)
      defer { entries.reset() }
      guard try entries.step() else { continue }
      count += Int(entries.int64(0))
      report.scanned += Int(entries.int64(0))
    }
    return .success((count, report))
  }

  /// Visits the documents that match among those whose values SQLite has only roughly.
  private func lookAtRough(
    _ plan: IndexPlan, _ query: Query, _ report: inout QueryReport, wall: Int64, isLate: () -> Bool,
    visit: (DocumentView) -> ScanStep
  ) throws(SQLiteError) -> Result<ScanStep, StoreError> {
    var unlimited = query
    unlimited.scanLimit = nil
    var matching = 0
    let rough = try statements.statement(.documents, plan, plan.roughConditions, isRough: true, wall: wall)
    let end = try look(at: rough, unlimited, scanned: &report.scanned, isLate: isLate) { document in
      matching += 1
      return visit(document)
    }
    // Each page of an order looks at them all; otherwise those that match were wanted.
    report.unindexed = report.scanned - (query.order == nil ? matching : 0)
    if case .success = end, let limit = query.scanLimit, report.unindexed > limit {
      return .failure(.scanRefused(scanned: limit))
    }
    return end
  }
}
