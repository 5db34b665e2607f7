import DocketJSON
import DocketStore
import NIOCore

/// What a store should hold, as a plain value: one dictionary, and the list of everything that was done to it.
///
/// It is the yardstick for the real stores, so it is written to be obviously right and not to be fast.
public struct DocumentModel: Sendable {
  /// One write that changed something.
  public struct Change: Sendable, Equatable {
    public enum Kind: String, Sendable {
      case created
      case updated
      case deleted
    }

    public let sequence: Revision
    /// The change before this one to the same document, deletions included.
    public let previous: Revision?
    public let path: DocumentPath
    public let kind: Kind
    public let at: Timestamp
    /// The document as it was before the change; nil for a creation.
    public let before: Document?
  }

  /// The bytes of a whole path: the key under which the model files a document.
  private typealias Key = [UInt8]

  /// Every change there ever was, in order.
  public private(set) var changes: [Change] = []
  private var documents: [Key: Document] = [:]
  private var newestChange: [Key: Revision] = [:]
  private let documentLimit: Int

  /// - Parameter documentLimit: the most bytes that a document may have after a patch.
  public init(documentLimit: Int = 1_048_576) {
    self.documentLimit = documentLimit
  }

  /// The number of the newest change, 0 if there was none.
  public var revision: Revision { changes.last?.sequence ?? Revision(0) }

  public func document(at path: DocumentPath) -> Document? {
    documents[Self.key(path)]
  }

  /// The documents of one collection in byte order of their ids, those behind `after` if it is given.
  public func documents(in collection: CollectionPath, after: String? = nil) -> [Document] {
    documents.values
      .filter { Array($0.path.collection.description.utf8) == Array(collection.description.utf8) }
      .filter { document in after.map { Self.inByteOrder($0, document.path.id) } ?? true }
      .sorted { Self.inByteOrder($0.path.id, $1.path.id) }
  }

  /// Every document there is, in byte order of collection and id.
  public var allDocuments: [Document] {
    documents.values.sorted { a, b in
      a.path.collection == b.path.collection
        ? Self.inByteOrder(a.path.id, b.path.id)
        : Self.inByteOrder(a.path.collection.description, b.path.collection.description)
    }
  }

  /// Does what the write asks for.
  ///
  /// - Parameters:
  ///   - now: the time by the clock. A change is never dated before the one that it follows.
  ///   - newID: makes the id of a document that is created without one.
  public mutating func apply(
    _ write: Write, now: Timestamp, newID: () -> String
  ) -> Result<WriteOutcome, StoreError> {
    switch write {
    case .create(let collection, let data):
      let path = DocumentPath(collection: collection, id: newID())
      return .success(store(data, at: path, now: now))
    case .put(let path, let data):
      return .success(store(data, at: path, now: now))
    case .mergePatch(let path, let patch):
      guard let target = document(at: path) else { return .success(.notFound) }
      let patched = Self.merge(patch, into: target.data)
      guard patched.readableBytes <= documentLimit else {
        return .failure(.documentTooLarge(limit: documentLimit))
      }
      return .success(store(patched, at: path, now: now))
    case .delete(let path):
      return .success(remove(path, now: now))
    case .replaceFirst(let collection, let value, let data):
      guard let first = first(in: collection, equalTo: value) else { return .success(.notFound) }
      return .success(store(data, at: first, now: now))
    case .deleteFirst(let collection, let value):
      guard let first = first(in: collection, equalTo: value) else { return .success(.notFound) }
      return .success(remove(first, now: now))
    }
  }

  private mutating func store(_ data: ByteBuffer, at path: DocumentPath, now: Timestamp) -> WriteOutcome {
    let before = document(at: path)
    let change = record(before == nil ? .created : .updated, path, before: before, now: now)
    documents[Self.key(path)] = Document(
      path: path, revision: change.sequence, created: before?.created ?? change.at, updated: change.at,
      data: data)
    return before == nil ? .created(path, change.sequence) : .replaced(path, change.sequence)
  }

  private mutating func remove(_ path: DocumentPath, now: Timestamp) -> WriteOutcome {
    guard let before = documents.removeValue(forKey: Self.key(path)) else { return .notFound }
    return .deleted(path, record(.deleted, path, before: before, now: now).sequence)
  }

  private mutating func record(
    _ kind: Change.Kind, _ path: DocumentPath, before: Document?, now: Timestamp
  ) -> Change {
    let change = Change(
      sequence: Revision(revision.rawValue + 1), previous: newestChange[Self.key(path)], path: path,
      kind: kind, at: max(now, changes.last?.at ?? now), before: before)
    changes.append(change)
    newestChange[Self.key(path)] = change.sequence
    return change
  }

  private func first(in collection: CollectionPath, equalTo value: ByteBuffer) -> DocumentPath? {
    documents(in: collection).first { document in
      document.data.withUnsafeReadableBytes { a in
        value.withUnsafeReadableBytes { b in JSONEquality.same(a, b) }
      }
    }?.path
  }

  private static func merge(_ patch: ByteBuffer, into target: ByteBuffer) -> ByteBuffer {
    patch.withUnsafeReadableBytes { patch in
      target.withUnsafeReadableBytes { target in
        ByteBuffer(bytes: MergePatch.apply(patch, to: target))
      }
    }
  }

  private static func key(_ path: DocumentPath) -> Key { Array(path.description.utf8) }

  private static func inByteOrder(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}
