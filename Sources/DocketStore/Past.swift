/// A moment in the past of the documents.
public struct PastMoment: Sendable, Equatable {
  /// What the changes up to this one say. Documents that had expired but were not cleared away yet are among it.
  public let revision: Revision
  /// Hides besides what had expired by then.
  public let time: Timestamp?

  public init(revision: Revision, time: Timestamp? = nil) {
    self.revision = revision
    self.time = time
  }

  /// Whether a document that was there at the revision was there at the moment.
  public func shows(_ document: Document) -> Bool {
    guard let time, let expires = document.expires else { return true }
    return expires > time
  }
}

/// One state in which a document has been, its absence included.
public struct Version: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case created, updated, deleted, expired
  }

  public let revision: Revision
  public let time: Timestamp
  /// What made it; nil where the change itself is no longer kept, only what it led to.
  public let kind: Kind?
  /// The size of the document, in bytes of JSON text; nil where there was none from then on.
  public let bytes: Int?

  public init(revision: Revision, time: Timestamp, kind: Kind?, bytes: Int?) {
    self.revision = revision
    self.time = time
    self.kind = kind
    self.bytes = bytes
  }
}

/// Reads of the past, off the session's executor, each in a snapshot that is taken after the call.
///
/// A moment before what is kept fails with `historyGone`, one that has not come with `ahead`.
public protocol PastAccess: AnyObject {
  /// The newest revision that there was at a time.
  func revision(at time: Timestamp, completion: @escaping (Result<Revision, StoreError>) -> Void)

  /// The document as it was, or nil where there was none.
  func document(
    at path: DocumentPath, asOf moment: PastMoment, completion: @escaping (Result<Document?, StoreError>) -> Void)

  /// Visits the documents of a collection as it was, in byte order of their ids.
  ///
  /// Where much has changed since, it may stop by itself before the end.
  /// - Parameters:
  ///   - after: begins behind this id, whether or not there was such a document; nil begins at the start.
  ///   - completion: takes also the id behind which to go on, if it stopped by itself.
  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, asOf moment: PastMoment, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<(state: State, stoppedBehind: String?), StoreError>) -> Void)

  /// Visits the versions of a document, newest first, as far as they are kept.
  /// - Parameters:
  ///   - before: begins with the version before this one, a revision that an earlier call has told; nil: with the newest.
  ///   - completion: takes nil where there is no trace of such a document.
  func versions<State: Sendable>(
    of path: DocumentPath, before: Revision?, into state: State,
    visit: @escaping @Sendable (inout State, Version) -> ScanStep,
    completion: @escaping (Result<State?, StoreError>) -> Void)
}
