import DocketJSON
import NIOCore

extension ByteBuffer {
  /// Writes `{"code": 200, "message": "OK", "data": …}` as the original server prints it: these keys in this order,
  /// `", "` and `": "` between them; then `id` and `headers`, where the request had them.
  ///
  /// - Parameters:
  ///   - id: the request's `id`, as JSON text.
  ///   - withHeaders: whether the request carried `headers`.
  ///   - terminated: whether a NUL ends the response, as in a persistent session.
  public mutating func writeResponse(_ response: Response, id: ByteBuffer?, withHeaders: Bool, terminated: Bool) {
    writeStaticString("{\"code\": ")
    writeDecimal(response.status.rawValue)
    writeStaticString(", \"message\": \"")
    writeStaticString(response.status.phrase)
    writeStaticString("\", \"data\": ")
    if let data = response.data { writeImmutableBuffer(data) } else { writeStaticString("null") }
    if let id {
      writeStaticString(", \"id\": ")
      writeImmutableBuffer(id)
    }
    if withHeaders { writeHeaders(response.headers) }
    writeStaticString(terminated ? "}\0" : "}")
  }

  /// Writes the same as `writeResponse` for a document, to a request without `id` and `headers` in a persistent session,
  /// in one step: pipelined reads do little else.
  package mutating func writeDocumentResponse(_ data: UnsafeRawBufferPointer) {
    let head: StaticString = "{\"code\": 200, \"message\": \"OK\", \"data\": "
    let end: StaticString = "}\0"
    let count = head.utf8CodeUnitCount + data.count + end.utf8CodeUnitCount
    writeWithUnsafeMutableBytes(minimumWritableBytes: count) { output in
      let rest = UnsafeMutableRawBufferPointer(rebasing: output[head.utf8CodeUnitCount...])
      output.copyMemory(from: head.bytes)
      rest.copyMemory(from: data)
      UnsafeMutableRawBufferPointer(rebasing: rest[data.count...]).copyMemory(from: end.bytes)
      return count
    }
  }

  private mutating func writeHeaders(_ headers: Headers) {
    writeStaticString(", \"headers\": {")
    for (index, field) in headers.fields.enumerated() {
      if index > 0 { writeStaticString(", ") }
      writeJSONString(field.name)
      writeStaticString(": ")
      writeJSONString(field.value)
    }
    writeStaticString("}")
  }

  /// Writes an integer in decimal digits.
  public mutating func writeDecimal(_ number: some FixedWidthInteger) {
    // Twenty bytes hold every 64-bit integer with its sign.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var rest = number.magnitude
      var start = digits.count
      repeat {
        start -= 1
        digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      if number < 0 {
        start -= 1
        digits[start] = UInt8(ascii: "-")
      }
      _ = writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start...]))
    }
  }
}

extension StaticString {
  fileprivate var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
