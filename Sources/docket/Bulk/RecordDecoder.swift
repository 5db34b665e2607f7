import NIOCore

/// Makes a request of each record.
protocol RecordDecoder {
  /// Appends `{"method": …, "path": …, "data": …}`, in one line or more; what it has appended when it throws is void.
  /// - Parameter record: without the mark of its end and the white space around it.
  mutating func write(
    _ record: UnsafeRawBufferPointer, to request: inout ByteBuffer
  ) throws(BadRecord) -> DecodedRecord
}

enum DecodedRecord: Equatable {
  case request
  /// A document that nests too deep to stand in a batch, so that its request must go alone.
  case loneRequest
  /// A document whose lifetime is over.
  case expired
}

/// Each record is a document's JSON text.
struct DocumentDecoder: RecordDecoder {
  let target: ImportTarget

  func write(_ record: UnsafeRawBufferPointer, to request: inout ByteBuffer) throws(BadRecord) -> DecodedRecord {
    try target.write(record, to: &request)
  }
}
