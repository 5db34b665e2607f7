import DocketJSON

/// How much one frame may hold. Each limit has a flag of `docket serve` and an error of its own.
public struct WireLimits: Sendable, Equatable {
  /// The largest document, in bytes of JSON text.
  public var documentBytes: Int
  /// The longest frame, in bytes, its NUL not counted: a document, and room for the envelope around it.
  public var frameBytes: Int { documentBytes + Self.envelopeBytes }
  /// How many arrays and objects of a document may be open at once.
  public var depth: Int

  /// The part of a frame that is there for everything but the document, in bytes.
  public static let envelopeBytes = 64 << 10
  /// The longest `id` that is a string, in bytes of UTF-8; an integer may have as many characters.
  public static let idBytes = 64

  public init(documentBytes: Int = 1 << 20, depth: Int = JSONLimits.maximumDepth) {
    precondition(documentBytes > 0 && depth > 0)
    self.documentBytes = documentBytes
    self.depth = depth
  }
}
