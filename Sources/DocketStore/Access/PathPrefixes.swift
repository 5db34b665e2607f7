import Glibc

/// Parts of the tree of paths: each a document or a collection with all that is beneath it.
///
/// A prefix ends at a segment: `/notes/` has the collection `/notes/` and what is nested in it, and nothing of `/notesbook/`;
/// `/users/7` has the document `/users/7` and all beneath `/users/7/`; `/` has everything.
public struct PathPrefixes: Sendable, Equatable {
  /// One behind the other, each behind its length as two bytes, the smaller one first: every request of somebody with a token
  /// goes through them, and an array of arrays is counted in and out each time.
  private let lengthsAndPrefixes: [UInt8]
  /// Whether one of them is `/`.
  public let areEverything: Bool

  public static let none = PathPrefixes([])
  public static let everything = PathPrefixes(["/"])

  /// - Parameter texts: prefixes that `AccessRule` has checked, as paths that are not percent-encoded. One that ends with a slash
  ///   covers what begins with it; another one covers itself, too.
  init(_ texts: [String]) {
    lengthsAndPrefixes = texts.flatMap { text in
      [UInt8(truncatingIfNeeded: text.utf8.count), UInt8(text.utf8.count >> 8)] + Array(text.utf8)
    }
    areEverything = texts.contains("/")
  }

  public var isEmpty: Bool { lengthsAndPrefixes.isEmpty }

  /// Whether something holds of one of them.
  @inline(__always)
  private func contains(where holds: (UnsafeRawBufferPointer) -> Bool) -> Bool {
    lengthsAndPrefixes.withUnsafeBytes { bytes in
      var place = 0
      while place < bytes.count {
        let start = place + 2
        place = start + Int(bytes[start - 2]) + Int(bytes[start - 1]) << 8
        if holds(UnsafeRawBufferPointer(rebasing: bytes[start..<place])) { return true }
      }
      return false
    }
  }

  /// Whether a document is among them, or a collection with all its documents and all that is nested in it.
  /// - Parameter path: of the document, or the name of the collection, as UTF-8 and not percent-encoded.
  public func cover(_ path: UnsafeRawBufferPointer) -> Bool {
    areEverything || contains { Self.covers($0, path) }
  }

  public func cover(_ document: DocumentPath) -> Bool {
    areEverything
      || document.collection.description.withBytes { collection in
        document.id.withBytes { cover(collection: collection, id: $0) }
      }
  }

  public func cover(_ collection: CollectionPath) -> Bool {
    areEverything || collection.description.withBytes { cover($0) }
  }

  /// As `cover` of the path that the two make.
  public func cover(collection: UnsafeRawBufferPointer, id: UnsafeRawBufferPointer) -> Bool {
    if areEverything { return true }
    return contains { prefix in
      if prefix.count <= collection.count { return Self.covers(prefix, collection) }
      // Only one that names this very document is longer.
      guard prefix.count == collection.count + id.count else { return false }
      return prefix.begins(with: collection)
        && id.begins(with: UnsafeRawBufferPointer(rebasing: prefix[collection.count...]))
    }
  }

  /// Whether something beneath a collection is among them, though not all of it may be.
  public func reachInto(_ collection: CollectionPath) -> Bool {
    cover(collection)
      || collection.description.withBytes { name in contains { $0.begins(with: name) } }
  }

  private static func covers(_ prefix: UnsafeRawBufferPointer, _ path: UnsafeRawBufferPointer) -> Bool {
    guard path.begins(with: prefix) else { return false }
    return prefix.last == UInt8(ascii: "/") || path.count == prefix.count
      || path[prefix.count] == UInt8(ascii: "/")
  }
}

extension UnsafeRawBufferPointer {
  /// A request's path is looked at byte for byte each time: `starts(with:)` takes several times as long.
  fileprivate func begins(with other: UnsafeRawBufferPointer) -> Bool {
    guard count >= other.count else { return false }
    guard let own = baseAddress, let other = other.baseAddress.map({ ($0, other.count) }) else { return true }
    return memcmp(own, other.0, other.1) == 0
  }
}

extension String {
  fileprivate func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var copy = self
    return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
}
