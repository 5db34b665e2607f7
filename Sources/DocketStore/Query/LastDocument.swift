import NIOCore

/// A copy of the document that was met last, in memory that is used again for the next one.
public struct LastDocument: Sendable {
  private var texts = ByteBuffer()
  private var collectionBytes = 0
  private var idBytes = 0
  private var revision: Int64 = 0
  private var created: Int64 = 0
  private var updated: Int64 = 0
  private var expires: Int64?

  public init() {}

  public mutating func keep(_ document: DocumentView) {
    let (collection, id, data) = (document.collection, document.id, document.data)
    texts.clear()
    texts.writeWithUnsafeMutableBytes(minimumWritableBytes: collection.count + id.count + data.count) { memory in
      memory.copyMemory(from: collection)
      UnsafeMutableRawBufferPointer(rebasing: memory[collection.count...]).copyMemory(from: id)
      UnsafeMutableRawBufferPointer(rebasing: memory[(collection.count + id.count)...]).copyMemory(from: data)
      return collection.count + id.count + data.count
    }
    collectionBytes = collection.count
    idBytes = id.count
    revision = document.revision
    created = document.created
    updated = document.updated
    expires = document.expires
  }

  /// nil where none was met.
  public func withView<Result>(_ body: (DocumentView) throws -> Result) rethrows -> Result? {
    // No collection's name is empty.
    guard collectionBytes > 0 else { return nil }
    return try texts.withUnsafeReadableBytes { texts in
      let data = collectionBytes + idBytes
      return try body(
        DocumentView(
          collection: UnsafeRawBufferPointer(rebasing: texts[..<collectionBytes]),
          id: UnsafeRawBufferPointer(rebasing: texts[collectionBytes..<data]), revision: revision, created: created,
          updated: updated, expires: expires, data: UnsafeRawBufferPointer(rebasing: texts[data...])))
    }
  }
}
