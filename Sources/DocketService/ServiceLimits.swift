/// How much one answer may hold. Each limit has a flag of `docket serve`.
public struct ServiceLimits: Sendable, Equatable {
  /// The size at which a page of a collection ends early, in bytes of documents. One document always fits.
  public var pageBytes: Int
  /// The size of the original server's list beyond which it is not sent whole, in bytes.
  public var listBytes: Int

  public init(pageBytes: Int = 4 << 20, listBytes: Int = 64 << 20) {
    precondition(pageBytes > 0 && listBytes > 0)
    self.pageBytes = pageBytes
    self.listBytes = listBytes
  }
}
