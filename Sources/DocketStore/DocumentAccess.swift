/// Reads and writes of documents: each by itself in a session, or together in a transaction.
///
/// Every completion is called once: in a transaction at once, inside the call; in a session at once or later.
public protocol DocumentAccess: AnyObject {
  /// The document, or nil where there is none.
  func document(at path: DocumentPath, completion: @escaping (Result<Document?, StoreError>) -> Void)

  /// Makes a write. Writes take effect in the order in which they were submitted.
  func submit(_ write: Write, completion: @escaping (Result<WriteOutcome, StoreError>) -> Void)

  /// Visits the documents of a collection in byte order of their ids.
  ///
  /// - Parameters:
  ///   - after: begins behind this id, whether or not such a document exists; nil begins at the start.
  ///   - state: what `visit` builds up; it comes back with the completion.
  ///   - visit: takes one document and says whether to go on. It runs on a thread of the store.
  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<State, StoreError>) -> Void)
}

public enum ScanStep: Sendable {
  case next
  case stop
}
