import DocketStore

extension InMemorySession {
  func query<State: Sendable>(
    _ query: Query, cancellation: QueryCancellation?, into state: State,
    visit: @escaping @Sendable (inout State, DocumentView) -> ScanStep,
    completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void
  ) {
    let clock = repository.clock
    readModel(completion) { model in
      if cancellation?.isCancelled == true { return .failure(.deadlineExceeded) }
      var state = state
      return model.run(query, now: clock()) { visit(&state, $0) }.map { (state, $0) }
    }
  }

  func search<State: Sendable>(
    _ query: Query, cancellation: QueryCancellation?, into state: State,
    visit: @escaping @Sendable (inout State, TextMatch) -> ScanStep,
    completion: @escaping (Result<(state: State, report: QueryReport), StoreError>) -> Void
  ) {
    // A model searches no texts.
    read(query, cancellation, completion) { _, report in (state, report) }
  }

  func count(
    _ query: Query, cancellation: QueryCancellation?,
    completion: @escaping (Result<(count: Int, report: QueryReport), StoreError>) -> Void
  ) {
    read(query, cancellation, completion) { ($0.count, $1) }
  }

  private func read<Value: Sendable>(
    _ query: Query, _ cancellation: QueryCancellation?,
    _ completion: @escaping (Result<Value, StoreError>) -> Void,
    _ answer: @escaping @Sendable (_ matching: [Document], QueryReport) -> Value
  ) {
    let clock = repository.clock
    readModel(completion) { model in
      if cancellation?.isCancelled == true { return .failure(.deadlineExceeded) }
      return model.matching(query, now: clock()).map { answer($0, $1) }
    }
  }
}

extension DocumentModel {
  /// Visits what matches in the query's order.
  func run(_ query: Query, now: Timestamp, visit: (DocumentView) -> ScanStep) -> Result<QueryReport, StoreError> {
    matching(query, now: now).map { matching, report in
      let order = QueryOrder(query.order ?? [])
      var found = matching.sorted { order.order(order.position(of: $0), order.position(of: $1)) < 0 }
      if let after = query.after { found = found.filter { order.order(order.position(of: $0), after) > 0 } }
      var bytes = 0
      for (index, document) in found.prefix(query.limit ?? .max).enumerated() {
        if index >= 2, bytes >= query.limitBytes { break }
        bytes += document.data.readableBytes
        if case .stop = document.withView(visit) { break }
      }
      return report
    }
  }

  /// Looks at every document where the query looks. A model has no index.
  func matching(_ query: Query, now: Timestamp) -> Result<([Document], QueryReport), StoreError> {
    if query.text != nil, case .collection(let collection) = query.scope {
      return .failure(.noTextIndex(collection))
    }
    if let moment = query.moment, moment.revision > revision { return .failure(.ahead(newest: revision)) }
    let documents = documents(in: query.scope, asOf: query.moment, now: now)
    if let limit = query.scanLimit, documents.count > limit {
      return .failure(.scanRefused(scanned: documents.count))
    }
    return .success((documents.filter { $0.withView(query.matches) }, QueryReport(scanned: documents.count)))
  }

  /// The documents that there are, or were, where a query looks; in no order.
  func documents(in scope: Query.Scope, asOf moment: PastMoment?, now: Timestamp) -> [Document] {
    let documents =
      if let moment {
        Set(changes.map(\.path)).compactMap { document(at: $0, asOf: moment.revision) }.filter(moment.shows)
      } else {
        allDocuments.filter { document(at: $0.path, now: now) != nil }
      }
    return documents.filter { scope.holds($0.path) }
  }
}

extension Query.Scope {
  fileprivate func holds(_ path: DocumentPath) -> Bool {
    switch self {
    case .collection(let collection): path.collection == collection
    case .tree(let collection): path.collection.description.utf8.starts(with: collection.description.utf8)
    case .everything: true
    }
  }
}
