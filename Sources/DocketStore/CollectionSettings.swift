/// What is set for a collection.
public struct CollectionSettings: Sendable, Equatable {
  /// Each index that a collection has costs every write of every collection a little: SQLite asks each whether the row is
  /// in it. With 50 indexes of other collections an update took five times as long as with none. So all have this many at most.
  public static let maximumIndexes = 64

  /// Which fields its documents can be found and sorted by without looking at all of them.
  public var indexes: [CollectionIndex]
  /// Fields that no two of its documents have the same of; their keys are ascending. A document in which one of the fields
  /// is neither a number nor a string nor true nor false is like no other.
  public var unique: [CollectionIndex]
  /// Fields in whose texts words can be searched.
  public var text: [FieldPath]
  /// How long a document lives that is written without a word on that; nil: for good.
  public var lifetimeSeconds: Int64?
  /// Whether a document is replaced, patched or deleted on a condition only.
  public var requiresCondition: Bool

  public init(
    indexes: [CollectionIndex] = [], unique: [CollectionIndex] = [], text: [FieldPath] = [],
    lifetimeSeconds: Int64? = nil, requiresCondition: Bool = false
  ) {
    self.indexes = indexes
    self.unique = unique
    self.text = text
    self.lifetimeSeconds = lifetimeSeconds
    self.requiresCondition = requiresCondition
  }

  /// The indexes by which documents are found: those that were asked for, and those that tell what is unique.
  public var allIndexes: [CollectionIndex] { indexes + unique.filter { !indexes.contains($0) } }

  /// How many structures every write is taken to, each of which costs it a little.
  public var indexCount: Int { allIndexes.count + (text.isEmpty ? 0 : 1) }
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
