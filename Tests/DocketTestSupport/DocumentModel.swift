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
      case expired
    }

    public let sequence: Revision
    /// The change before this one to the same document, deletions included.
    public let previous: Revision?
    public let path: DocumentPath
    public let kind: Kind
    public let at: Timestamp
    /// Of a batch: the sequence of its first change.
    public let batch: Revision?
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
  private var batch: Revision?
  /// What is set for collections.
  public internal(set) var settings: [CollectionPath: CollectionSettings] = [:]
  /// The oldest first.
  public internal(set) var tokens: [AccessToken] = [] {
    didSet { tokenChanges += 1 }
  }
  private(set) var tokenChanges: Int64 = 0

  /// - Parameter documentLimit: the most bytes that a document may have after a patch.
  public init(documentLimit: Int = 1_048_576) {
    self.documentLimit = documentLimit
  }

  /// The number of the newest change, 0 if there was none.
  public var revision: Revision { changes.last?.sequence ?? Revision(0) }

  /// - Parameter now: the time by which documents expire; nil sees the expired, too.
  public func document(at path: DocumentPath, now: Timestamp? = nil) -> Document? {
    let document = documents[Self.key(path)]
    if let now, let end = document?.expires, end <= now { return nil }
    return document
  }

  /// The documents of one collection in byte order of their ids, those behind `after` if it is given.
  public func documents(in collection: CollectionPath, after: String? = nil, now: Timestamp? = nil) -> [Document] {
    documents.values
      .filter { document(at: $0.path, now: now) != nil }
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

  /// From now on changes belong to a batch.
  mutating func beginBatch() { batch = Revision(revision.rawValue + 1) }

  mutating func endBatch() { batch = nil }

  /// Does what the write asks for.
  ///
  /// - Parameters:
  ///   - now: the time by the clock. A change is never dated before the one that it follows.
  ///   - newID: makes the id of a document that is created without one.
  public mutating func apply(
    _ write: Write, now: Timestamp, newID: () -> String
  ) -> Result<WriteOutcome, StoreError> {
    if write.terms.isDryRun {
      var trial = self
      return trial.apply(write.on(WriteTerms(condition: write.terms.condition)), now: now, newID: newID)
    }
    let rules = settings[write.action.collection]
    if let rules, rules.requiresCondition, write.terms.condition == nil, write.action.document != nil {
      return .failure(.conditionRequired(write.action.collection))
    }
    let lifetime = write.terms.lifetime ?? rules?.lifetimeSeconds.map { .milliseconds($0 * 1_000) }
    let end = lifetime?.end(from: now.milliseconds).map(Timestamp.init(milliseconds:))
    if let condition = write.terms.condition, let path = write.action.document {
      let current = document(at: path, now: now)?.revision
      guard condition.holds(for: current) else { return .success(.conditionFailed(current: current)) }
    }
    switch write.action {
    case .create(let collection, let data):
      let path = DocumentPath(collection: collection, id: newID())
      return storeUnlessDuplicate(data, at: path, end, now: now)
    case .put(let path, let data):
      return storeUnlessDuplicate(data, at: path, end, now: now)
    case .mergePatch(let path, let patch):
      guard let target = document(at: path, now: now) else { return .success(.notFound) }
      let patched = Self.merge(patch, into: target.data)
      guard patched.readableBytes <= documentLimit else {
        return .failure(.documentTooLarge(limit: documentLimit))
      }
      return storeUnlessDuplicate(patched, at: path, end, now: now)
    case .jsonPatch(let path, let patch):
      guard let target = document(at: path, now: now) else { return .success(.notFound) }
      do {
        let patched = try target.data.withUnsafeReadableBytes { target throws(JSONPatchError) in
          try patch.apply(to: target, maximumBytes: documentLimit)
        }
        guard patched.count <= documentLimit else { return .failure(.documentTooLarge(limit: documentLimit)) }
        return storeUnlessDuplicate(ByteBuffer(bytes: patched), at: path, end, now: now)
      } catch {
        return .failure(.patchFailed(error))
      }
    case .delete(let path):
      return .success(remove(path, now: now))
    case .replaceFirst(let collection, let value, let data):
      guard let first = first(in: collection, equalTo: value, now: now) else { return .success(.notFound) }
      return storeUnlessDuplicate(data, at: first, end, now: now)
    case .deleteFirst(let collection, let value):
      guard let first = first(in: collection, equalTo: value, now: now) else { return .success(.notFound) }
      return .success(remove(first, now: now))
    }
  }

  private mutating func storeUnlessDuplicate(
    _ data: ByteBuffer, at path: DocumentPath, _ end: Timestamp?, now: Timestamp
  ) -> Result<WriteOutcome, StoreError> {
    if let duplicate = duplicate(of: data, at: path, now: now) { return .failure(duplicate) }
    return .success(store(data, at: path, end, now: now))
  }

  private mutating func store(
    _ data: ByteBuffer, at path: DocumentPath, _ end: Timestamp?, now: Timestamp
  ) -> WriteOutcome {
    let before = document(at: path, now: now)
    if before == nil, let expired = document(at: path) { _ = record(.expired, path, before: expired, now: now) }
    let change = record(before == nil ? .created : .updated, path, before: before, now: now)
    documents[Self.key(path)] = Document(
      path: path, revision: change.sequence, created: before?.created ?? change.at, updated: change.at,
      expires: end, data: data)
    return before == nil ? .created(path, change.sequence) : .replaced(path, change.sequence)
  }

  /// Ends a document that has expired.
  mutating func expire(_ document: Document, now: Timestamp) {
    _ = record(.expired, document.path, before: document, now: now)
    documents[Self.key(document.path)] = nil
  }

  private mutating func remove(_ path: DocumentPath, now: Timestamp) -> WriteOutcome {
    guard let before = document(at: path, now: now) else { return .notFound }
    documents[Self.key(path)] = nil
    return .deleted(path, record(.deleted, path, before: before, now: now).sequence)
  }

  private mutating func record(
    _ kind: Change.Kind, _ path: DocumentPath, before: Document?, now: Timestamp
  ) -> Change {
    let change = Change(
      sequence: Revision(revision.rawValue + 1), previous: newestChange[Self.key(path)], path: path,
      kind: kind, at: max(now, changes.last?.at ?? now), batch: batch, before: before)
    changes.append(change)
    newestChange[Self.key(path)] = change.sequence
    return change
  }

  private func first(
    in collection: CollectionPath, equalTo value: ByteBuffer, now: Timestamp
  ) -> DocumentPath? {
    documents(in: collection, now: now).first { document in
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
