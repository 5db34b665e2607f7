/// Walks through JSON text (RFC 8259) once, checking it, without building anything.
///
/// It checks grammar, UTF-8 and depth. It never recurses deeper than `maximumDepth` and never allocates.
public struct JSONScanner {
  /// Where a string token lies, quotes included, and whether a backslash occurs in it.
  public struct StringToken: Equatable, Sendable {
    public let range: Range<Int>
    public let hasEscapes: Bool
  }

  public let bytes: UnsafeRawBufferPointer
  public var offset = 0
  public let maximumDepth: Int

  /// - Parameter bytes: must outlive the scanner.
  public init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int = JSONLimits.maximumDepth) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  /// Checks that `bytes` is exactly one JSON value with optional white space around it.
  public static func validate(
    _ bytes: UnsafeRawBufferPointer, maximumDepth: Int = JSONLimits.maximumDepth
  ) throws(JSONError) {
    fatalError("being written")
  }

  /// Skips space, tab, line feed and carriage return.
  public mutating func skipWhitespace() {
    fatalError("being written")
  }

  /// The byte at `offset`, or nil at the end.
  public var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  /// Skips one value, which begins at `offset` (no white space before it), and returns where it lies.
  /// - Parameter depth: how many containers are open around it.
  public mutating func skipValue(depth: Int = 0) throws(JSONError) -> Range<Int> {
    fatalError("being written")
  }

  /// Skips one string, whose opening quote is at `offset`.
  public mutating func skipString() throws(JSONError) -> StringToken {
    fatalError("being written")
  }

  /// Throws unless only white space is left.
  public mutating func finish() throws(JSONError) {
    fatalError("being written")
  }
}

/// Bounds of the JSON that is taken.
public enum JSONLimits {
  /// How many arrays and objects may be open at once.
  public static let maximumDepth = 128
}
