/// Reads the records of a source one by one, in memory that does not grow with the source.
final class RecordReader {
  /// Where a record stands, and what comes behind it.
  struct Place: Equatable, Sendable {
    /// In bytes from the source's beginning.
    var offset: Int64 = 0
    /// The number of the line, or of an array's element, counted from 1.
    var number = 1
  }

  struct Record {
    let number: Int
    /// The mark of its end included. Good until the next record is asked for. Nil: the record is longer than may be.
    let bytes: UnsafeRawBufferPointer?
  }

  /// Where the next record begins.
  private(set) var place = Place()

  private let source: any ByteStream
  private var splitter: any RecordSplitter
  private let maximumRecordBytes: Int

  /// `start..<seen` is the part of a record that the splitter knows, `seen..<end` what it does not know yet.
  private var buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var seen = 0
  private var end = 0
  private var isTooLong = false
  private var isAtEnd = false

  /// - Parameters:
  ///   - splitter: of this source from the place on.
  ///   - maximumRecordBytes: of a longer record it is only told that there is one.
  init(
    _ source: any ByteStream, splitter: any RecordSplitter, maximumRecordBytes: Int, chunkBytes: Int = 256 << 10
  ) {
    self.splitter = splitter
    self.maximumRecordBytes = maximumRecordBytes
    self.source = source
    buffer = .allocate(byteCount: chunkBytes, alignment: 16)
  }

  deinit {
    buffer.deallocate()
  }

  /// Passes over what stands before a place, and goes on there with another splitter.
  func skip(to place: Place, splitter: any RecordSplitter) throws {
    if source.seek(to: place.offset) {
      (start, seen, end) = (0, 0, 0)
      isAtEnd = false
      self.place = place
    }
    while self.place.offset < place.offset {
      if seen == end {
        guard try fill() else { break }
      }
      let count = Int(min(Int64(end - seen), place.offset - self.place.offset))
      take(count)
    }
    self.place = place
    self.splitter = splitter
  }

  /// Passes over a byte order mark, which may stand at the source's beginning.
  func skipByteOrderMark() throws {
    while end - start < 3, try fill() {}
    if end - start >= 3, buffer[start] == 0xEF, buffer[start + 1] == 0xBB, buffer[start + 2] == 0xBF { take(3) }
  }

  /// The next record, or nil at the end.
  /// - Throws: `CommandFailure`; `BadRecord` where no further record can be told from this source.
  func next() throws -> Record? {
    while true {
      switch try splitter.advance(UnsafeRawBufferPointer(rebasing: buffer[seen..<end])) {
      case .between(let count):
        take(count)
      case .end(let count, let numbers):
        return record(count, numbers: numbers)
      case .more:
        seen = end
        dropIfTooLong()
        if try fill() { continue }
        try splitter.finish()
        return start < end || isTooLong ? record(0, numbers: 1) : nil
      }
    }
  }

  private func record(_ count: Int, numbers: Int) -> Record {
    let number = place.number
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[start..<seen + count])
    let fits = !isTooLong && bytes.count <= maximumRecordBytes
    take(count)
    isTooLong = false
    place.number += numbers
    return Record(number: number, bytes: fits ? bytes : nil)
  }

  /// Goes on behind so many bytes that were not seen, and behind the record that they belong to.
  private func take(_ count: Int) {
    seen += count
    place.offset += Int64(seen - start)
    start = seen
  }

  /// What is too long is not kept, only looked through for its end.
  private func dropIfTooLong() {
    guard end - start > maximumRecordBytes else { return }
    isTooLong = true
    take(0)
  }

  /// Reads on; false at the end of the source.
  private func fill() throws -> Bool {
    guard !isAtEnd else { return false }
    if start > 0 {
      // As memmove does it: the two may overlap.
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
      (start, seen, end) = (0, seen - start, end - start)
    }
    if end == buffer.count {
      let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * buffer.count, alignment: 16)
      larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
      buffer.deallocate()
      buffer = larger
    }
    let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
    end += count
    isAtEnd = count == 0
    return !isAtEnd
  }
}
