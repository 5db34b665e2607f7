import NIOCore

/// A document where it lies: most documents that a query looks at are not wanted, and of those that are only what is shown need
/// be copied.
public struct DocumentView {
  /// UTF-8.
  public let collection: UnsafeRawBufferPointer
  public let id: UnsafeRawBufferPointer
  public let revision: Int64
  /// Milliseconds, as in `Timestamp`.
  public let created: Int64
  public let updated: Int64
  public let expires: Int64?
  /// The JSON text. What is not valid JSON has no values.
  public let data: UnsafeRawBufferPointer

  /// - Parameters: memory that stays as it is for as long as the view is used.
  public init(
    collection: UnsafeRawBufferPointer, id: UnsafeRawBufferPointer, revision: Int64, created: Int64, updated: Int64,
    expires: Int64?, data: UnsafeRawBufferPointer
  ) {
    self.collection = collection
    self.id = id
    self.revision = revision
    self.created = created
    self.updated = updated
    self.expires = expires
    self.data = data
  }

  /// A copy of its path; bytes that are not UTF-8 become U+FFFD.
  public var path: DocumentPath {
    DocumentPath(
      collection: CollectionPath(unchecked: String(decoding: collection, as: UTF8.self)),
      id: String(decoding: id, as: UTF8.self))
  }
}

extension Document {
  /// A copy of what lies there.
  /// - Precondition: its data is valid JSON.
  public init(_ view: DocumentView) {
    self.init(
      path: view.path, revision: Revision(view.revision), created: Timestamp(milliseconds: view.created),
      updated: Timestamp(milliseconds: view.updated), expires: view.expires.map(Timestamp.init(milliseconds:)),
      data: ByteBuffer(bytes: view.data))
  }

  public func withView<Result>(_ body: (DocumentView) -> Result) -> Result {
    var (collection, id) = (path.collection.description, path.id)
    return collection.withUTF8 { collection in
      id.withUTF8 { id in
        data.withUnsafeReadableBytes { data in
          body(
            DocumentView(
              collection: UnsafeRawBufferPointer(collection), id: UnsafeRawBufferPointer(id),
              revision: revision.rawValue, created: created.milliseconds, updated: updated.milliseconds,
              expires: expires?.milliseconds, data: data))
        }
      }
    }
  }
}
