import DocketJSON
import DocketStore
import NIOCore

extension DocumentView {
  /// Why it cannot be served, if its data is not JSON: written past the view's checks it may be anything, and a NUL in it
  /// would forge the end of a frame.
  var defect: StoreError? {
    do {
      try JSONScanner.validate(data)
      return nil
    } catch {
      return .invalidDocument(path, reason: error.description)
    }
  }
}

extension Document {
  /// Makes a document of a row, with a copy of its data, unless that is not JSON (`DocumentView.defect`).
  static func read(
    _ path: DocumentPath, revision: Int64, created: Int64, updated: Int64, expires: Int64?, data: UnsafeRawBufferPointer
  ) -> Result<Document, StoreError> {
    do {
      try JSONScanner.validate(data)
    } catch {
      return .failure(.invalidDocument(path, reason: error.description))
    }
    return .success(
      Document(path, revision: revision, created: created, updated: updated, expires: expires, data: data))
  }

  /// A document whose data has been checked.
  init(_ path: DocumentPath, _ cached: CachedDocument) {
    let fields = cached.fields
    self.init(
      path, revision: fields.revision, created: fields.created, updated: fields.updated, expires: fields.expires,
      data: cached.data)
  }

  private init(
    _ path: DocumentPath, revision: Int64, created: Int64, updated: Int64, expires: Int64?, data: UnsafeRawBufferPointer
  ) {
    self.init(
      path: path, revision: Revision(revision), created: Timestamp(milliseconds: created),
      updated: Timestamp(milliseconds: updated), expires: expires.map(Timestamp.init(milliseconds:)),
      data: ByteBuffer(bytes: data))
  }
}
