import NIOCore

/// The fields of a CSV row (RFC 4180), in one buffer that rows use one after another.
struct CSVRow {
  private var text: [UInt8] = []
  private var fields: [Range<Int>] = []

  var count: Int { fields.count }

  subscript(index: Int) -> ArraySlice<UInt8> { text[fields[index]] }

  /// - Parameter row: without the line break behind it.
  mutating func read(_ row: UnsafeRawBufferPointer) throws(BadRecord) {
    text.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
    var index = 0
    repeat {
      let start = text.count
      if index < row.count, row[index] == UInt8(ascii: "\"") {
        index = try readQuoted(row, from: index + 1)
      } else {
        let rest = row[index...]
        let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? row.count
        text.append(contentsOf: row[index..<end])
        index = end
      }
      fields.append(start..<text.count)
      index += 1
    } while index <= row.count
  }

  /// - Returns: where the field's comma stands, or the row's end.
  private mutating func readQuoted(_ row: UnsafeRawBufferPointer, from start: Int) throws(BadRecord) -> Int {
    var start = start
    while let quote = row[start...].firstIndex(of: UInt8(ascii: "\"")) {
      text.append(contentsOf: row[start..<quote])
      guard quote + 1 < row.count else { return row.count }
      switch row[quote + 1] {
      case UInt8(ascii: ","):
        return quote + 1
      case UInt8(ascii: "\""):
        text.append(UInt8(ascii: "\""))
        start = quote + 2
      default:
        throw BadRecord(reason: "something behind the closing quote of field \(fields.count + 1)")
      }
    }
    throw BadRecord(reason: "field \(fields.count + 1) has an opening quote and no closing one")
  }
}
