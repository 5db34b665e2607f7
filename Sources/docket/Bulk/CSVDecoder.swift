import DocketJSON
import DocketWire
import NIOCore

/// Makes an object of each row of a CSV text, with the names of its first row.
struct CSVDecoder: RecordDecoder {
  private let target: ImportTarget
  private let isTyped: Bool
  /// `"name": ` for each column.
  private var keys: [ByteBuffer] = []
  private var row = CSVRow()
  private var document = ByteBuffer()

  /// - Parameters:
  ///   - header: the first row.
  ///   - isTyped: whether what is exactly a JSON number, `true`, `false` or `null` becomes that, and what is empty is left out.
  init(header: UnsafeRawBufferPointer, target: ImportTarget, isTyped: Bool) throws(BadRecord) {
    self.target = target
    self.isTyped = isTyped
    try row.read(header)
    var names: Set<[UInt8]> = []
    for index in 0..<row.count {
      let name = Array(row[index])
      guard !name.isEmpty else { throw BadRecord(reason: "column \(index + 1) has no name") }
      guard String(validating: name, as: UTF8.self) != nil else {
        throw BadRecord(reason: "column \(index + 1): not UTF-8")
      }
      // Else all of a file of the old Macintosh would be one row of names, and nothing would be said of it.
      guard !name.contains(0x0D) else {
        throw BadRecord(
          reason: "column \(index + 1) has a carriage return in its name; rows end with a line feed, or with both")
      }
      guard names.insert(name).inserted else {
        throw BadRecord(reason: "two columns are named '\(String(decoding: name, as: UTF8.self))'")
      }
      var key = ByteBuffer()
      name.withUnsafeBytes { key.writeJSONString(utf8: $0) }
      key.writeStaticString(": ")
      keys.append(key)
    }
  }

  mutating func write(
    _ record: UnsafeRawBufferPointer, to request: inout ByteBuffer
  ) throws(BadRecord) -> DecodedRecord {
    try row.read(record)
    guard row.count == keys.count else {
      throw BadRecord(reason: "\(row.count) fields, and the first row has \(keys.count)")
    }
    document.clear()
    document.writeStaticString("{")
    for index in keys.indices {
      let field = row[index]
      if isTyped && field.isEmpty { continue }
      if document.readableBytes > 1 { document.writeStaticString(", ") }
      document.writeImmutableBuffer(keys[index])
      field.withUnsafeBytes { bytes in
        if isTyped && bytes.isTypedValue {
          document.writeBytes(bytes)
        } else {
          document.writeJSONString(utf8: bytes)
        }
      }
    }
    document.writeStaticString("}")
    let result = document.withUnsafeReadableBytes { bytes in
      Result { () throws(BadRecord) in try target.write(bytes, to: &request) }
    }
    return try result.get()
  }
}

extension UnsafeRawBufferPointer {
  /// Whether this is exactly a JSON number, true, false or null.
  fileprivate var isTypedValue: Bool {
    guard let first else { return false }
    switch first {
    case UInt8(ascii: "t"): return isText("true")
    case UInt8(ascii: "f"): return isText("false")
    case UInt8(ascii: "n"): return isText("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      var scanner = JSONScanner(self)
      return (try? scanner.skipValue()) == 0..<count
    default: return false
    }
  }
}
