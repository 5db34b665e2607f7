import NIOCore

/// A document as a query looks at it, where it lies: most documents that are looked at are not wanted, and nothing is copied
/// of those.
public struct DocumentView {
  /// UTF-8.
  public let id: UnsafeRawBufferPointer
  public let revision: Int64
  /// Milliseconds, as in `Timestamp`.
  public let created: Int64
  public let updated: Int64
  /// The JSON text. What is not valid JSON has no values.
  public let data: UnsafeRawBufferPointer

  /// - Parameters: memory that stays as it is for as long as the view is used.
  public init(
    id: UnsafeRawBufferPointer, revision: Int64, created: Int64, updated: Int64, data: UnsafeRawBufferPointer
  ) {
    self.id = id
    self.revision = revision
    self.created = created
    self.updated = updated
    self.data = data
  }
}

extension Document {
  public func withView<Result>(_ body: (DocumentView) -> Result) -> Result {
    var id = path.id
    return id.withUTF8 { id in
      data.withUnsafeReadableBytes { data in
        body(
          DocumentView(
            id: UnsafeRawBufferPointer(id), revision: revision.rawValue, created: created.milliseconds,
            updated: updated.milliseconds, data: data))
      }
    }
  }
}
