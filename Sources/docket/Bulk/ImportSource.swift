import Glibc
import NIOCore

/// The records of a source, one after another, each as the request that it comes to.
struct ImportSource {
  /// What a record comes to, in `request`.
  enum Next {
    case request(number: Int, isLone: Bool)
    case expired
    case blank
    case bad(number: Int, reason: String, isLast: Bool)
    case end
  }

  let name: String
  let unit: String
  /// In bytes, where it is known.
  let size: Int64?
  /// The request that `next` has told of.
  private(set) var request = ByteBuffer()
  private let reader: RecordReader
  private var decoder: any RecordDecoder
  private let format: ImportFormat

  var place: RecordReader.Place { reader.place }

  /// - Parameters:
  ///   - place: behind one of the records, or at the source's beginning.
  ///   - target: not needed for an export.
  init(
    _ source: ByteSource, format: ImportFormat, from place: RecordReader.Place, target: ImportTarget?,
    isTyped: Bool, maximumDocumentBytes: Int
  ) throws {
    name = source.name
    unit = format.unit
    size = source.size
    self.format = format
    // A line of an export may write each byte of a document as an escape of six.
    reader = RecordReader(
      source, splitter: format.splitter(isInside: false), maximumRecordBytes: 6 * maximumDocumentBytes + (64 << 10))
    try reader.skipByteOrderMark()
    switch (format, target) {
    case (.csv, let target?):
      decoder = try Self.csvDecoder(reader, target: target, isTyped: isTyped, name: source.name)
    case (.ndjson, let target?), (.array, let target?):
      decoder = DocumentDecoder(target: target)
    case (_, nil), (.export, _):
      decoder = ExportDecoder(maximumDocumentBytes: maximumDocumentBytes, now: Self.secondsSince1970)
    }
    if place.offset > reader.place.offset {
      try reader.skip(to: place, splitter: format.splitter(isInside: true))
    }
  }

  /// - Throws: `CommandFailure` where the source cannot be read.
  mutating func next() throws -> Next {
    request.clear()
    do {
      guard let record = try reader.next() else { return .end }
      guard let bytes = record.bytes else {
        return .bad(number: record.number, reason: "longer than any document may be", isLast: false)
      }
      let content = Self.content(of: bytes, format: format)
      if content.isEmpty && format != .array { return .blank }
      do {
        switch try decoder.write(content, to: &request) {
        case .request: return .request(number: record.number, isLone: false)
        case .loneRequest: return .request(number: record.number, isLone: true)
        case .expired: return .expired
        }
      } catch {
        return .bad(number: record.number, reason: error.reason, isLast: false)
      }
    } catch let error as BadRecord {
      return .bad(number: reader.place.number, reason: error.reason, isLast: true)
    }
  }

  /// Without what ends the record.
  private static func content(of record: UnsafeRawBufferPointer, format: ImportFormat) -> UnsafeRawBufferPointer {
    var content = record[...]
    switch format {
    case .ndjson, .export:
      return record.trimmingJSONSpace
    case .array:
      if content.last == UInt8(ascii: ",") { content = content.dropLast() }
      return UnsafeRawBufferPointer(rebasing: content).trimmingJSONSpace
    case .csv:
      if content.last == UInt8(ascii: "\n") { content = content.dropLast() }
      if content.last == UInt8(ascii: "\r") { content = content.dropLast() }
      return UnsafeRawBufferPointer(rebasing: content)
    }
  }

  /// Reads the first row.
  private static func csvDecoder(
    _ reader: RecordReader, target: ImportTarget, isTyped: Bool, name: String
  ) throws -> any RecordDecoder {
    // Without a first row there are no others to decode.
    guard let record = try reader.next() else { return DocumentDecoder(target: target) }
    guard let bytes = record.bytes else { throw CommandFailure("\(name): the first row is too long") }
    do {
      return try CSVDecoder(header: content(of: bytes, format: .csv), target: target, isTyped: isTyped)
    } catch {
      throw CommandFailure("\(name): line \(record.number): \(error.reason)")
    }
  }

  private static func secondsSince1970() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
