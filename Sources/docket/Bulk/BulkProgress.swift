/// One line on a terminal that tells how far an import or an export has come, at most ten times a second.
struct BulkProgress {
  /// Nil: nothing is shown.
  private let stream: StandardStream?
  private let totalBytes: Int64?
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private let firstBytes: Int64
  private let firstDocuments: Int
  private var last: ContinuousClock.Instant
  private var isShown = false

  /// - Parameters:
  ///   - totalBytes: the size of the source, where it is known.
  ///   - bytes: how far it had come before.
  init(isQuiet: Bool, totalBytes: Int64? = nil, bytes: Int64 = 0, documents: Int = 0) {
    stream = isQuiet || !StandardStream.error.isTerminal ? nil : .error
    self.totalBytes = totalBytes
    firstBytes = bytes
    firstDocuments = documents
    begin = clock.now
    last = begin
  }

  mutating func show(bytes: Int64, documents: Int) throws {
    guard let stream, clock.now - last > .milliseconds(100) else { return }
    last = clock.now
    isShown = true
    let line = Self.line(
      seconds: (last - begin) / .seconds(1), bytes: bytes, newBytes: bytes - firstBytes, totalBytes: totalBytes,
      documents: documents, newDocuments: documents - firstDocuments)
    try stream.write(Array("\r\u{1B}[K\(line)".utf8)[...])
  }

  /// Takes the line away, so that something else can be told.
  mutating func clear() throws {
    guard isShown, let stream else { return }
    isShown = false
    try stream.write(Array("\r\u{1B}[K".utf8)[...])
  }

  /// `43%  120000 documents  98000/s  0:12 left`
  static func line(
    seconds: Double, bytes: Int64, newBytes: Int64, totalBytes: Int64?, documents: Int, newDocuments: Int
  ) -> String {
    let rate = "\(documents) documents  \(Int(Double(newDocuments) / max(seconds, 0.001)))/s"
    guard let totalBytes, totalBytes > 0, newBytes > 0 else { return rate }
    let left = Int(seconds * Double(totalBytes - bytes) / Double(newBytes))
    let leftSeconds = left % 60 < 10 ? "0\(left % 60)" : "\(left % 60)"
    return "\(100 * bytes / totalBytes)%  \(rate)  \(left / 60):\(leftSeconds) left"
  }
}
