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
  public static func == (a: Self, b: Self) -> Bool {
    a.description.utf8.elementsEqual(b.description.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    for byte in description.utf8 { hasher.combine(byte) }
  }
}

extension DocumentPath: Hashable {
  public static func == (a: Self, b: Self) -> Bool {
    a.id.utf8.elementsEqual(b.id.utf8) && a.collection == b.collection
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(collection)
    for byte in id.utf8 { hasher.combine(byte) }
  }
}
