/// How much work is: the memory that it takes while it waits, and the time that it takes to carry out.
struct WorkSize: Sendable, Equatable {
  /// What a write or a transaction is reckoned to take besides its data.
  static let overheadBytes = 256

  private(set) var bytes = 0
  private(set) var requests = 0

  /// A write of little data takes as long as so many bytes of a larger one's.
  private static let bytesOfRequest = 256

  /// Of the time that it takes, in bytes of a large document that could be written meanwhile.
  var weight: Int { bytes + requests * Self.bytesOfRequest }

  init() {}

  init(dataBytes: Int, requests: Int) {
    bytes = dataBytes + Self.overheadBytes
    self.requests = requests
  }

  static func += (size: inout WorkSize, more: WorkSize) {
    size.bytes += more.bytes
    size.requests += more.requests
  }
}
