import NIOCore

/// A change somebody asks for, handed to the store as a value so that it can be committed in a group.
///
/// Each is atomic: what it reads and what it writes happen with nothing between. Data is JSON text that was
/// checked when it was received (syntax, UTF-8, depth, size).
public enum Write: Sendable, Equatable {
  /// Creates a document under a new id, greater than every id the store made before (UUIDv7, RFC 9562).
  case create(in: CollectionPath, data: ByteBuffer)
  /// Creates the document, or replaces it.
  case put(DocumentPath, data: ByteBuffer)
  /// Applies a JSON Merge Patch (RFC 7396) to a document that exists.
  case mergePatch(DocumentPath, patch: ByteBuffer)
  case delete(DocumentPath)
  /// Replaces the first document, in the order of ids, that is the same JSON value as `data`.
  case replaceFirst(in: CollectionPath, equalTo: ByteBuffer, with: ByteBuffer)
  /// Deletes the first document, in the order of ids, that is the same JSON value as `data`.
  case deleteFirst(in: CollectionPath, equalTo: ByteBuffer)
}

/// What a write did. It is told only once the write is as durable as the store promises.
public enum WriteOutcome: Sendable, Equatable {
  case created(DocumentPath, Revision)
  case replaced(DocumentPath, Revision)
  case deleted(DocumentPath, Revision)
  /// There was no such document; nothing changed.
  case notFound
}
