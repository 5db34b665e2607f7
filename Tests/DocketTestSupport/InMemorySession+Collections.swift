import DocketStore

extension InMemorySession {
  func collections(
    readable: PathPrefixes, after: CollectionPath?, limit: Int,
    completion: @escaping (Result<[CollectionContents], StoreError>) -> Void
  ) {
    let clock = repository.clock
    readModel(completion) { model in
      let wanted = model.contents(now: clock()).filter { contents in
        readable.cover(contents.collection) && after.map { $0.isBefore(contents.collection) } ?? true
      }
      return .success(Array(wanted.prefix(limit)))
    }
  }
}

extension DocumentModel {
  /// What collections hold, in byte order of their names.
  func contents(now: Timestamp) -> [CollectionContents] {
    let live = allDocuments.filter { document(at: $0.path, now: now) != nil }
    return Dictionary(grouping: live) { $0.path.collection }
      .map { collection, documents in
        CollectionContents(
          collection, documents: documents.count,
          bytes: documents.reduce(0) { $0 + Int64($1.data.readableBytes) },
          updated: Timestamp(milliseconds: documents.reduce(0) { max($0, $1.updated.milliseconds) }))
      }
      .sorted { $0.collection.isBefore($1.collection) }
  }
}

extension CollectionPath {
  fileprivate func isBefore(_ other: CollectionPath) -> Bool {
    description.utf8.lexicographicallyPrecedes(other.description.utf8)
  }
}
