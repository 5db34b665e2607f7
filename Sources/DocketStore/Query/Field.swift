/// What of a document a query looks at.
public enum Field: Hashable, Sendable {
  /// A value in its JSON.
  case value(FieldPath)
  case id
  case created
  case updated
  case revision
}

/// Where in a document a value stands: `author.name`, `tags.0`. A segment names a member of an object, or by its digits an
/// element of an array.
///
/// Of members with the same key the first one is meant, and none whose key is written with an escape for an ASCII character
/// (`"\u0061"`): so does SQLite find them (https://sqlite.org/json1.html), and what an index finds and what a scan finds
/// must be the same.
public struct FieldPath: Hashable, Sendable, CustomStringConvertible {
  /// None is empty, and there is at least one.
  public let segments: [String]

  public init(unchecked segments: [String]) {
    self.segments = segments
  }

  public var description: String { segments.joined(separator: ".") }

  public static func == (a: Self, b: Self) -> Bool {
    // As bytes: two Unicode normal forms are two keys.
    a.segments.count == b.segments.count && zip(a.segments, b.segments).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }

  public func hash(into hasher: inout Hasher) {
    for segment in segments {
      for byte in segment.utf8 { hasher.combine(byte) }
      hasher.combine(UInt8(0xFF))
    }
  }
}
