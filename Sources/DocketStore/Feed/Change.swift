/// One write that changed a document, or the end of one that expired.
public struct Change: Sendable, Equatable {
  public let sequence: Revision
  public let kind: Version.Kind
  public let path: DocumentPath
  public let at: Timestamp
  /// Of a batch: the sequence of its first change.
  public let batch: Revision?
  /// The document as it was after this change, whatever came later; nil where it has gone.
  public let document: Document?
  /// As it was before; nil where there was none, and where it was not asked for.
  public let before: Document?
  /// Why the document cannot be told although it is there: it was written past the store's checks and is no JSON.
  public let defect: StoreError?

  public init(
    sequence: Revision, kind: Version.Kind, path: DocumentPath, at: Timestamp, batch: Revision?, document: Document?,
    before: Document?, defect: StoreError? = nil
  ) {
    self.sequence = sequence
    self.kind = kind
    self.path = path
    self.at = at
    self.batch = batch
    self.document = document
    self.before = before
    self.defect = defect
  }
}
