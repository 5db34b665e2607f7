import DocketStore

/// What the list of all changes says of the past.
extension DocumentModel {
  /// The document as the changes up to a revision say, expired or not.
  public func document(at path: DocumentPath, asOf revision: Revision) -> Document? {
    // The first change after it holds the document as it was before.
    guard let next = changes.first(where: { $0.sequence > revision && $0.path == path }) else {
      return document(at: path)
    }
    return next.before
  }

  /// The documents of a collection as the changes up to a revision say, in byte order of their ids.
  public func documents(in collection: CollectionPath, asOf revision: Revision) -> [Document] {
    Set(changes.map(\.path)).filter { $0.collection == collection }
      .compactMap { document(at: $0, asOf: revision) }
      .sorted { $0.path.id.utf8.lexicographicallyPrecedes($1.path.id.utf8) }
  }

  /// The versions of a document, newest first.
  public func versions(of path: DocumentPath) -> [Version] {
    changes.filter { $0.path == path }.reversed().map { change in
      let after = document(at: path, asOf: change.sequence)
      return Version(
        revision: change.sequence, time: change.at, kind: Version.Kind(rawValue: change.kind.rawValue),
        bytes: after?.data.readableBytes)
    }
  }

  /// The newest revision at a time.
  public func revision(at time: Timestamp) -> Revision {
    changes.last { $0.at <= time }?.sequence ?? Revision(0)
  }
}
