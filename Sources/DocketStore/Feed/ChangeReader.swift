/// Which changes are wanted.
public struct ChangeRange: Sendable {
  /// Behind this one.
  public var after: Revision
  /// Up to this one; nil: all that are durable.
  public var through: Revision?
  /// Whether the documents as they were before are wanted, too.
  public var withBefore: Bool
  /// The reading ends by itself when it has looked at so many changes, wanted or not.
  public var scanLimit: Int

  public init(after: Revision, through: Revision? = nil, withBefore: Bool = false, scanLimit: Int = 10_000) {
    precondition(scanLimit > 0)
    self.after = after
    self.through = through
    self.withBefore = withBefore
    self.scanLimit = scanLimit
  }
}

/// How far a reading of changes came.
public struct ChangeProgress: Sendable, Equatable {
  /// All changes up to this one were visited, or are not wanted.
  public var sequence: Revision
  /// Whether there was nothing behind it, of what the range has.
  public var isAtEnd: Bool

  public init(sequence: Revision, isAtEnd: Bool) {
    self.sequence = sequence
    self.isAtEnd = isAtEnd
  }
}

/// Tells whether the changes of a document are wanted, by its collection and id as UTF-8. It is asked for each change, so it is
/// to be quick.
public typealias ChangeInterest = (_ collection: UnsafeRawBufferPointer, _ id: UnsafeRawBufferPointer) -> Bool

/// Reads what has changed, and waits for more, on a thread that the store made for it (`DocumentRepository.follow`).
///
/// Only what is as durable as the store promises is told, once a call has returned; transactions are told whole or not yet.
public protocol ChangeReader: AnyObject {
  /// Waits until `wake` was called, or the time is up, or, if `changes` are of interest, something may have been committed since
  /// the last reading began: by this process, or within 200 ms by another one. Where they are not of interest commits cost
  /// nothing.
  /// - Returns: false once the store is closing; the thread is to end then.
  func wait(forChanges: Bool, milliseconds: Int64?) -> Bool

  /// Visits changes in the order of the commits.
  ///
  /// Fails with `historyGone` where changes behind `after` are no longer kept, with `ahead` where `after` has not come. When
  /// `visit` stops, the change it stopped at counts as not visited.
  func changes(
    _ range: ChangeRange, of interest: ChangeInterest, visit: (Change) -> ScanStep
  ) -> Result<ChangeProgress, StoreError>

  /// The newest durable change, and the name of the history.
  func newest() -> Result<(sequence: Revision, history: String), StoreError>

  /// The tokens that there are. It is asked for several times a second, and reads them where they have changed.
  func tokens() -> Result<TokenRoll, StoreError>

  /// Visits the documents that match as they were at a moment, as `QueryAccess.query` does.
  func query(_ query: Query, visit: (DocumentView) -> ScanStep) -> Result<QueryReport, StoreError>

  /// The document as it was at a moment.
  func document(at path: DocumentPath, asOf moment: PastMoment) -> Result<Document?, StoreError>
}

/// Reads of changes, off the session's executor.
public protocol ChangeAccess: AnyObject {
  /// Visits changes as `ChangeReader.changes` does.
  /// - Parameter completion: takes also the name of the history.
  func changes<State: Sendable>(
    _ range: ChangeRange, into state: State, visit: @escaping @Sendable (inout State, Change) -> ScanStep,
    completion: @escaping (Result<(state: State, progress: ChangeProgress, history: String), StoreError>) -> Void)

  /// The newest change that the session's reads see. Only within a tick, in which it is a read of its own.
  func newestRevision() -> Result<Revision, StoreError>
}
