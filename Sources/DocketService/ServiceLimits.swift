/// How much one answer may hold, and all that wait to be taken. Each limit has a flag of `docket serve`.
public struct ServiceLimits: Sendable, Equatable {
  /// The size at which a page of a collection ends early, in bytes of documents. One document always fits.
  public var pageBytes: Int
  /// The size of the original server's list beyond which it is not sent whole, in bytes.
  public var listBytes: Int
  /// How many requests a batch may have.
  public var batchRequests: Int
  /// How much the answers of a batch may hold in all, in bytes of data.
  public var batchAnswerBytes: Int
  /// How many bytes of answers may wait to be taken, on all connections, before no large ones are made.
  public var answerTotalBytes: Int
  /// Whether a query that would look at more documents than `scanWarningDocuments` without an index is refused.
  public var refusesScans: Bool
  /// How many documents a query may look at without an index before its answer warns of it.
  public var scanWarningDocuments: Int
  /// With less room than this in the file system of the store, in bytes, the server says that it is not ready.
  public var roomBytes: Int64

  public init(
    pageBytes: Int = 4 << 20, listBytes: Int = 64 << 20, batchRequests: Int = 1_000, batchAnswerBytes: Int = 4 << 20,
    answerTotalBytes: Int = 256 << 20, refusesScans: Bool = false, scanWarningDocuments: Int = 10_000,
    roomBytes: Int64 = 64 << 20
  ) {
    precondition(pageBytes > 0 && listBytes > 0 && batchRequests > 0 && batchAnswerBytes > 0)
    precondition(answerTotalBytes > 0 && scanWarningDocuments > 0 && roomBytes >= 0)
    self.pageBytes = pageBytes
    self.listBytes = listBytes
    self.batchRequests = batchRequests
    self.batchAnswerBytes = batchAnswerBytes
    self.answerTotalBytes = answerTotalBytes
    self.refusesScans = refusesScans
    self.scanWarningDocuments = scanWarningDocuments
    self.roomBytes = roomBytes
  }
}
