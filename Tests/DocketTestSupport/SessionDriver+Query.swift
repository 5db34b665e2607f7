import DocketStore

extension SessionDriver {
  /// The documents that match, as many as the visitor was given.
  /// - Parameter stopAfter: the visitor says stop when it has so many.
  public func query(_ query: Query, stopAfter: Int = .max) async throws -> [Document] {
    let (found, wasOnExecutor): ([Document], Bool) = try await answer { [self] session, completion in
      session.query(
        query, cancellation: nil, into: ([Document](), false),
        visit: { [self] state, document in
          if isOnExecutor { state.1 = true }
          state.0.append(Document(document))
          return state.0.count == stopAfter ? .stop : .next
        }, completion: { completion($0.map { $0.state }) })
    }
    if wasOnExecutor { throw Violation(description: "a visit on the executor") }
    return found
  }

  /// Has a query call `visit` at each document that it finds.
  public func query(_ query: Query, visit: @escaping @Sendable () -> Void) async throws {
    try await answer { session, completion in
      session.query(
        query, cancellation: nil, into: (),
        visit: { _, _ in
          visit()
          return .next
        }, completion: { completion($0.map { $0.state }) })
    }
  }

  public func count(_ query: Query) async throws -> Int {
    try await answer { session, completion in
      session.count(query, cancellation: nil) { completion($0.map { $0.count }) }
    }
  }

  /// The documents that match, in the query's order, and how they were found.
  public func answer(
    to query: Query, cancellation: QueryCancellation? = nil
  ) async throws -> (documents: [Document], report: QueryReport) {
    try await answer { session, completion in
      session.query(
        query, cancellation: cancellation, into: [Document](),
        visit: { documents, document in
          documents.append(Document(document))
          return .next
        }, completion: { completion($0.map { ($0.state, $0.report) }) })
    }
  }

  /// What collections hold, all that there are unless told otherwise.
  public func collections(
    readable: PathPrefixes = .everything, after: CollectionPath? = nil, limit: Int = .max
  ) async throws -> [CollectionContents] {
    try await answer { session, completion in
      session.collections(readable: readable, after: after, limit: limit, completion: completion)
    }
  }

  public func settings(of collection: CollectionPath) async throws -> CollectionSettings? {
    try await answer { session, completion in session.settings(of: collection, completion: completion) }
  }

  /// What a query with `text` finds, in its order, and how it was found.
  public func search(
    _ query: Query, cancellation: QueryCancellation? = nil
  ) async throws -> (matches: [TextMatch], report: QueryReport) {
    try await answer { session, completion in
      session.search(
        query, cancellation: cancellation, into: [TextMatch](),
        visit: { matches, match in
          matches.append(match)
          return .next
        }, completion: { completion($0.map { ($0.state, $0.report) }) })
    }
  }

  /// Sets what holds for a collection; nil sets nothing.
  public func change(_ collection: CollectionPath, to settings: CollectionSettings?) async throws -> SettingsChange {
    try await answer { session, completion in
      session.change(collection, to: settings, completion: completion)
    }
  }
}
