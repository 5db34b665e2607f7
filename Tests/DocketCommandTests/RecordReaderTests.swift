import Testing

@testable import docket

@Suite("Records of a source")
struct RecordReaderTests {
  /// Reads a source whole, and cut in two at every place, and one byte at a time; all must give the same.
  private func read(
    _ text: String, _ format: ImportFormat, maximumRecordBytes: Int = 1 << 20,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> ReadSource {
    let bytes = Array(text.utf8)
    func read(_ stream: DripStream) throws -> ReadSource {
      try ReadSource(stream, format.splitter(isInside: false), maximumRecordBytes: maximumRecordBytes)
    }
    let whole = try read(DripStream(bytes, pieceBytes: max(bytes.count, 1)))
    for place in bytes.indices {
      #expect(try read(DripStream(bytes, cutAt: place)) == whole, "cut at \(place)", sourceLocation: sourceLocation)
    }
    #expect(try read(DripStream(bytes, pieceBytes: 1)) == whole, sourceLocation: sourceLocation)
    return whole
  }

  @Test("lines end with a line feed, the last one with or without")
  func lines() throws {
    #expect(try read("", .ndjson).records == [])
    #expect(try read("1\n2\n", .ndjson).records.map(\.text) == ["1\n", "2\n"])
    let source = try read("{\"a\": 1}\r\n\n[2]", .ndjson)
    #expect(source.records.map(\.text) == ["{\"a\": 1}\r\n", "\n", "[2]"])
    #expect(source.records.map(\.number) == [1, 2, 3])
  }

  @Test("a byte order mark is no part of the first record, and only there")
  func byteOrderMark() throws {
    #expect(try read("\u{FEFF}1\n\u{FEFF}2", .ndjson).records.map(\.text) == ["1\n", "\u{FEFF}2"])
    #expect(try read("\u{FEFF}[1]", .array).records.map(\.text) == ["1"])
    #expect(try read("\u{FEFF}", .csv).records == [])
  }

  @Test("a record over the limit is told without its bytes, and the next one is read")
  func tooLong() throws {
    let source = try read("short\n\(String(repeating: "x", count: 100))\nshort\n", .ndjson, maximumRecordBytes: 10)
    #expect(source.records.map(\.text) == ["short\n", nil, "short\n"])
    #expect(source.records.map(\.number) == [1, 2, 3])
    #expect(try read(String(repeating: "x", count: 100), .ndjson, maximumRecordBytes: 10).records.map(\.text) == [nil])
  }

  @Test("rows of CSV end outside quotes, and are numbered by their first line")
  func rows() throws {
    let source = try read("a,b\r\n\"1\r\n2\",\"say \"\"x\"\"\n\"\n5\" disk,\"\"\nlast,\"\"\"\"", .csv)
    #expect(
      source.records.map(\.text) == [
        "a,b\r\n", "\"1\r\n2\",\"say \"\"x\"\"\n\"\n", "5\" disk,\"\"\n", "last,\"\"\"\"",
      ])
    #expect(source.records.map(\.number) == [1, 2, 5, 6])
  }

  @Test("elements of an array end with a comma or the bracket, wherever else these stand")
  func elements() throws {
    let source = try read(" [ {\"a\": [1, \"],\\\"\\\\\"]} ,\n2, \"[\", [ ], null ]\n", .array)
    #expect(source.failure == nil)
    #expect(source.records.map(\.text) == ["{\"a\": [1, \"],\\\"\\\\\"]} ,", "2,", "\"[\",", "[ ],", "null "])
    #expect(source.records.map(\.number) == [1, 2, 3, 4, 5])
    #expect(try read(" [ ] ", .array).records == [])
    #expect(try read("[1,]", .array).records.map(\.text) == ["1,", ""])
  }

  @Test(
    "an array that is none, has no end or goes on behind it is told", arguments: ["", "{}", "[1, 2", "[1] 2", "[]]"])
  func brokenArrays(_ text: String) throws {
    #expect(try read(text, .array).failure != nil)
  }

  @Test("a reader goes on at each place that it has told", arguments: [ImportFormat.ndjson, .array, .csv])
  func places(_ format: ImportFormat) throws {
    let text = format == .array ? "[1, {\"a\": 2},\n \"3\"]" : "1\n\"2\n\"\n3"
    let bytes = Array(text.utf8)
    func records(from place: RecordReader.Place) throws -> [(String, RecordReader.Place)] {
      let reader = RecordReader(
        DripStream(bytes, pieceBytes: 3), splitter: format.splitter(isInside: false), maximumRecordBytes: 100)
      if place.offset > 0 { try reader.skip(to: place, splitter: format.splitter(isInside: true)) }
      var records: [(String, RecordReader.Place)] = []
      while let record = try reader.next(), let bytes = record.bytes {
        records.append((String(decoding: bytes, as: UTF8.self), reader.place))
      }
      return records
    }
    let all = try records(from: RecordReader.Place())
    #expect(all.count >= 3)
    for (index, record) in all.enumerated() {
      let rest = try records(from: record.1)
      #expect(rest.map(\.0) == all[(index + 1)...].map(\.0))
      #expect(rest.map(\.1) == all[(index + 1)...].map(\.1))
    }
  }
}
