/// The name of a collection: `/notes/`, `/users/7/orders/`. It begins and ends with a slash.
///
/// Names are UTF-8 and compare as bytes, as SQLite's BINARY collation does; Swift's `==` on strings
/// would hold two Unicode normal forms of one text equal.
public struct CollectionPath: Sendable, CustomStringConvertible {
  public let description: String

  /// - Precondition: `name` keeps the path grammar; `PathGrammar` checks what comes from outside.
  public init(unchecked name: String) {
    description = name
  }
}

/// Where a document lives: its collection and its id. `/notes/42` is id `42` in `/notes/`.
public struct DocumentPath: Sendable, CustomStringConvertible {
  public let collection: CollectionPath
  public let id: String

  public init(collection: CollectionPath, id: String) {
    self.collection = collection
    self.id = id
  }

  public var description: String { collection.description + id }
}

extension CollectionPath: Hashable {
  public static func == (a: Self, b: Self) -> Bool { a.description.hasSameBytes(as: b.description) }

  public func hash(into hasher: inout Hasher) { description.hashBytes(into: &hasher) }
}

extension DocumentPath: Hashable {
  public static func == (a: Self, b: Self) -> Bool { a.id.hasSameBytes(as: b.id) && a.collection == b.collection }

  public func hash(into hasher: inout Hasher) {
    collection.hash(into: &hasher)
    id.hashBytes(into: &hasher)
  }
}

extension String {
  fileprivate func hasSameBytes(as other: String) -> Bool {
    guard utf8.count == other.utf8.count else { return false }
    let isSame = utf8.withContiguousStorageIfAvailable { a in
      other.utf8.withContiguousStorageIfAvailable { b in a.elementsEqual(b) }
    }
    return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
  }

  fileprivate func hashBytes(into hasher: inout Hasher) {
    let isDone: Void? = utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    if isDone == nil { for byte in utf8 { hasher.combine(byte) } }
    hasher.combine(UInt8(0xFF))
  }
}
