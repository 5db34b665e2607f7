/// Which collections hold documents, and how much.
public protocol CollectionAccess: AnyObject {
  /// The collections that hold documents, in byte order of their names, all as they were at one moment. It looks at each
  /// document of those that it tells.
  /// - Parameters:
  ///   - readable: tells of those alone that may be read whole.
  ///   - after: begins behind this name, whether or not there is such a collection; nil begins at the start.
  ///   - limit: tells of so many at most.
  func collections(
    readable: PathPrefixes, after: CollectionPath?, limit: Int,
    completion: @escaping (Result<[CollectionContents], StoreError>) -> Void)
}

/// What a collection holds, without what is nested in it.
public struct CollectionContents: Sendable, Equatable {
  public let collection: CollectionPath
  /// At least one.
  public let documents: Int
  /// The size of the documents together, as JSON text.
  public let bytes: Int64
  /// When the newest of its documents was written last.
  public let updated: Timestamp

  public init(_ collection: CollectionPath, documents: Int, bytes: Int64, updated: Timestamp) {
    self.collection = collection
    self.documents = documents
    self.bytes = bytes
    self.updated = updated
  }
}
