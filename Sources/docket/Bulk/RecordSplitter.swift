import DocketWire

/// Finds where the records of a source end. It is shown the bytes once each, in pieces of any length.
protocol RecordSplitter {
  /// Looks at bytes that it has not seen yet.
  /// - Throws: `BadRecord` where the source cannot be cut any further.
  mutating func advance(_ bytes: UnsafeRawBufferPointer) throws(BadRecord) -> SplitStep

  /// Throws where the source must not end here.
  func finish() throws(BadRecord)
}

enum SplitStep: Equatable {
  /// All bytes belong to a record that goes on.
  case more
  /// So many bytes belong to no record.
  case between(Int)
  /// A record ends with so many bytes, the mark of its end included.
  /// - Parameter numbers: how far the next record's number is from this one's.
  case end(Int, numbers: Int)
}

/// Why a record, or what is left of a source, is not imported: one line without a full stop.
struct BadRecord: Error, Equatable {
  let reason: String
}

/// Lines, with a line feed behind each; behind the last one there need be none.
struct LineSplitter: RecordSplitter {
  mutating func advance(_ bytes: UnsafeRawBufferPointer) -> SplitStep {
    guard let end = bytes.firstIndex(ofByte: UInt8(ascii: "\n")) else { return .more }
    return .end(end + 1, numbers: 1)
  }

  func finish() {}
}
