import NIOCore

/// The number of a write in the whole database: a document's revision is that of its last write.
public struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: Int64

  public init(_ rawValue: Int64) {
    self.rawValue = rawValue
  }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  public var description: String { String(rawValue) }
}

/// A point in time: milliseconds of UTC since 1970-01-01.
public struct Timestamp: Hashable, Comparable, Sendable {
  public let milliseconds: Int64

  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
}

/// A document as it stands: its JSON text, byte for byte as it was written, and what the store knows of it.
public struct Document: Sendable, Equatable {
  public let path: DocumentPath
  public let revision: Revision
  public let created: Timestamp
  public let updated: Timestamp
  /// When it ends by itself; nil: never.
  public let expires: Timestamp?
  /// JSON text, valid and within the document limit.
  public let data: ByteBuffer

  public init(
    path: DocumentPath, revision: Revision, created: Timestamp, updated: Timestamp, expires: Timestamp? = nil,
    data: ByteBuffer
  ) {
    self.path = path
    self.revision = revision
    self.created = created
    self.updated = updated
    self.expires = expires
    self.data = data
  }
}
