import DocketJSON
import DocketStore
import NIOCore

extension Document {
  /// Makes a document of a row, with a copy of its data, unless that is not JSON: written past the view's checks it
  /// may be anything, and a NUL in it would forge the end of a frame.
  static func read(
    _ path: DocumentPath, revision: Int64, created: Int64, updated: Int64, expires: Int64?, data: UnsafeRawBufferPointer
  ) -> Result<Document, StoreError> {
    do {
      try JSONScanner.validate(data)
    } catch {
      return .failure(.invalidDocument(path, reason: error.description))
    }
    var buffer = ByteBufferAllocator().buffer(capacity: data.count)
    buffer.writeBytes(data)
    return .success(
      Document(
        path: path, revision: Revision(revision), created: Timestamp(milliseconds: created),
        updated: Timestamp(milliseconds: updated), expires: expires.map(Timestamp.init(milliseconds:)), data: buffer))
  }
}
