import DocketJSON
import NIOCore

/// A change somebody asks for, handed to the store as a value so that it can be committed in a group.
///
/// Each is atomic: what it reads, its condition included, and what it writes happen with nothing between.
public struct Write: Sendable, Equatable {
  /// What is to be done. Data is JSON text that was checked when it was received (syntax, UTF-8, depth, size).
  public enum Action: Sendable, Equatable {
    /// Creates a document under a new id, greater than every id the store made before (UUIDv7, RFC 9562).
    case create(in: CollectionPath, data: ByteBuffer)
    /// Creates the document, or replaces it.
    case put(DocumentPath, data: ByteBuffer)
    /// Applies a JSON Merge Patch (RFC 7396) to a document that exists.
    case mergePatch(DocumentPath, patch: ByteBuffer)
    /// Applies a JSON Patch (RFC 6902) to a document that exists.
    case jsonPatch(DocumentPath, JSONPatch)
    case delete(DocumentPath)
    /// Replaces the first document, in the order of ids, that is the same JSON value as `data`.
    case replaceFirst(in: CollectionPath, equalTo: ByteBuffer, with: ByteBuffer)
    /// Deletes the first document, in the order of ids, that is the same JSON value as `data`.
    case deleteFirst(in: CollectionPath, equalTo: ByteBuffer)
  }

  public let action: Action
  public var terms: WriteTerms

  public init(_ action: Action, terms: WriteTerms = WriteTerms()) {
    self.action = action
    self.terms = terms
  }
}

/// The terms on which a write is made.
public struct WriteTerms: Sendable, Equatable {
  /// What must hold of the document, or nothing is done. It speaks of one document that the action names by its path.
  public var condition: Condition?
  /// How long what is written lives; nil: as is set for its collection, for good where nothing is.
  public var lifetime: Lifetime?
  /// Whether nothing is to be changed: the outcome tells what would have happened.
  public var isDryRun: Bool

  public init(condition: Condition? = nil, lifetime: Lifetime? = nil, isDryRun: Bool = false) {
    self.condition = condition
    self.lifetime = lifetime
    self.isDryRun = isDryRun
  }
}

/// How long a document lives.
public enum Lifetime: Sendable, Equatable {
  /// The longest but for ever: 100 years.
  public static let maximumSeconds: Int64 = 3_155_760_000

  case forever
  /// From the write on.
  case milliseconds(Int64)

  /// When it is over for what is written now; nil: never.
  public func end(from wall: Int64) -> Int64? {
    switch self {
    case .forever: nil
    case .milliseconds(let count): wall + count
    }
  }
}

/// What a request may demand of a document as it stands (RFC 9110, section 13.1). One that has expired is absent.
public enum Condition: Sendable, Equatable {
  case exists
  case absent
  /// It exists, and its revision is among these.
  case oneOf([Revision])
  /// It is absent, or its revision is not among these.
  case noneOf([Revision])

  /// - Parameter current: the document's revision; nil where there is none.
  public func holds(for current: Revision?) -> Bool {
    switch self {
    case .exists: current != nil
    case .absent: current == nil
    case .oneOf(let revisions): current.map(revisions.contains) ?? false
    case .noneOf(let revisions): !(current.map(revisions.contains) ?? false)
    }
  }
}

/// What a write did. It is told only once the write is as durable as the store promises.
///
/// A dry run tells the revision that the write would have had if it had been made in that moment.
public enum WriteOutcome: Sendable, Equatable {
  case created(DocumentPath, Revision)
  case replaced(DocumentPath, Revision)
  case deleted(DocumentPath, Revision)
  /// There was no such document; nothing changed.
  case notFound
  /// The write's condition did not hold of the document, which has this revision (nil: there is none); nothing changed.
  case conditionFailed(current: Revision?)
}

extension Write.Action {
  /// The document that it names, of which a condition can speak; nil where the store finds or makes one.
  public var document: DocumentPath? {
    switch self {
    case .put(let path, _), .mergePatch(let path, _), .jsonPatch(let path, _), .delete(let path): path
    case .create, .replaceFirst, .deleteFirst: nil
    }
  }

  /// Whether it may take far longer than its own data lets expect: what it changes may be a large document.
  public var mayTakeLong: Bool {
    switch self {
    case .mergePatch, .jsonPatch, .replaceFirst, .deleteFirst: true
    case .create, .put, .delete: false
    }
  }

  public var collection: CollectionPath {
    switch self {
    case .put(let path, _), .mergePatch(let path, _), .jsonPatch(let path, _), .delete(let path): path.collection
    case .create(let collection, _), .replaceFirst(let collection, _, _), .deleteFirst(let collection, _): collection
    }
  }
}

extension Write {
  public static func create(in collection: CollectionPath, data: ByteBuffer) -> Write {
    Write(.create(in: collection, data: data))
  }

  public static func put(_ path: DocumentPath, data: ByteBuffer) -> Write {
    Write(.put(path, data: data))
  }

  public static func mergePatch(_ path: DocumentPath, patch: ByteBuffer) -> Write {
    Write(.mergePatch(path, patch: patch))
  }

  public static func jsonPatch(_ path: DocumentPath, _ patch: JSONPatch) -> Write {
    Write(.jsonPatch(path, patch))
  }

  public static func delete(_ path: DocumentPath) -> Write {
    Write(.delete(path))
  }

  public static func replaceFirst(
    in collection: CollectionPath, equalTo value: ByteBuffer, with data: ByteBuffer
  ) -> Write {
    Write(.replaceFirst(in: collection, equalTo: value, with: data))
  }

  public static func deleteFirst(in collection: CollectionPath, equalTo value: ByteBuffer) -> Write {
    Write(.deleteFirst(in: collection, equalTo: value))
  }

  /// How much data it carries, in bytes.
  public var dataBytes: Int {
    switch action {
    case .create(_, let data), .put(_, let data), .mergePatch(_, let data), .deleteFirst(_, let data):
      data.readableBytes
    case .jsonPatch(_, let patch): patch.text.readableBytes
    case .delete: 0
    case .replaceFirst(_, let value, let replacement): value.readableBytes + replacement.readableBytes
    }
  }

  /// The same write on other terms.
  public func on(_ terms: WriteTerms) -> Write {
    Write(action, terms: terms)
  }
}
