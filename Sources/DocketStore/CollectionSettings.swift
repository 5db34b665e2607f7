/// What is set for a collection.
public struct CollectionSettings: Sendable, Equatable {
  /// Which fields its documents can be found and sorted by without looking at all of them.
  public var indexes: [CollectionIndex]

  public init(indexes: [CollectionIndex] = []) {
    self.indexes = indexes
  }
}

/// Fields by which a collection's documents can be found: by the first one, by the first two, and so on.
public struct CollectionIndex: Hashable, Sendable {
  public struct Key: Hashable, Sendable {
    public let path: FieldPath
    public let isDescending: Bool

    public init(_ path: FieldPath, isDescending: Bool = false) {
      self.path = path
      self.isDescending = isDescending
    }
  }

  /// The most that an index may have.
  public static let maximumKeys = 8

  /// At least one.
  public let keys: [Key]

  public init(_ keys: [Key]) {
    self.keys = keys
  }

  /// As settings name them: `status`, `-priority`.
  public var names: [String] { keys.map { ($0.isDescending ? "-" : "") + $0.path.description } }
}

extension FieldPath {
  /// Whether an index can find it as a scan does. SQLite would take digits for a member where a scan finds an element, it
  /// does not find keys that are written with escapes, and quotes end a name for it
  /// (https://sqlite.org/json1.html#path_arguments).
  public var canBeIndexed: Bool {
    !segments.isEmpty
      && segments.allSatisfy { segment in
        !segment.isEmpty && !segment.utf8.allSatisfy { (0x30...0x39).contains($0) }
          && segment.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
      }
  }
}
