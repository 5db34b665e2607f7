@testable import docket

/// Bytes that arrive in two pieces, cut at some place, or in pieces of one length.
final class DripStream: ByteStream {
  private var pieces: [ArraySlice<UInt8>]

  init(_ bytes: [UInt8], cutAt place: Int) {
    pieces = [bytes[..<place], bytes[place...]].filter { !$0.isEmpty }
  }

  init(_ bytes: [UInt8], pieceBytes: Int) {
    pieces = stride(from: 0, to: bytes.count, by: pieceBytes).map { bytes[$0..<min($0 + pieceBytes, bytes.count)] }
  }

  func read(into space: UnsafeMutableRawBufferPointer) -> Int {
    guard let piece = pieces.first else { return 0 }
    let count = min(piece.count, space.count)
    space.copyBytes(from: piece.prefix(count))
    pieces[0] = piece.dropFirst(count)
    if pieces[0].isEmpty { pieces.removeFirst() }
    return count
  }

  func seek(to offset: Int64) -> Bool { false }
}

/// What a reader makes of a source.
struct ReadSource: Equatable, CustomStringConvertible {
  struct Record: Equatable {
    let number: Int
    /// Nil: too long.
    let text: String?
  }

  var records: [Record] = []
  var failure: BadRecord?

  init(_ stream: DripStream, _ splitter: any RecordSplitter, maximumRecordBytes: Int = 1 << 20) throws {
    let reader = RecordReader(stream, splitter: splitter, maximumRecordBytes: maximumRecordBytes, chunkBytes: 8)
    do {
      try reader.skipByteOrderMark()
      while let record = try reader.next() {
        records.append(
          Record(number: record.number, text: record.bytes.map { String(decoding: $0, as: UTF8.self) }))
      }
    } catch let error as BadRecord {
      failure = error
    }
  }

  var description: String { "\(records.map { "\($0.number):\($0.text ?? "too long")" }) \(failure?.reason ?? "")" }
}
