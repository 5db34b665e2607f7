/// How much work is: the memory that it takes while it waits, and the time that it takes to carry out.
struct WorkSize: Sendable, Equatable {
  /// What a write or a transaction is reckoned to take besides its data.
  static let overheadBytes = 256

  private(set) var bytes = 0
  private(set) var requests = 0
  /// How much of it may take far longer than its data lets expect.
  private var unknown = 0

  /// A write of little data takes as long as so many bytes of a larger one's.
  private static let bytesOfRequest = 256

  /// A patch of a document that nobody has looked at yet: there may be a mebibyte of it.
  private static let bytesOfUnknown = 128 << 10

  /// Of the time that it takes, in bytes of a large document that could be written meanwhile.
  var weight: Int { bytes + requests * Self.bytesOfRequest + unknown * Self.bytesOfUnknown }

  init() {}

  init(dataBytes: Int, requests: Int, mayTakeLong: Bool = false) {
    bytes = dataBytes + Self.overheadBytes
    self.requests = requests
    unknown = mayTakeLong ? 1 : 0
  }

  static func += (size: inout WorkSize, more: WorkSize) {
    size.bytes += more.bytes
    size.requests += more.requests
    size.unknown += more.unknown
  }
}
