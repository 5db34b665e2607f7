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
    let status = response.status
    let data = response.data?.readableBytesView
    let bytes = 80 + (data?.count ?? 4) + (id?.readableBytes ?? 0)
    writePieces(atMost: bytes) { writer in
      writer.append("{\"code\": ")
      writer.append(decimal: Int64(status.rawValue))
      writer.append(", \"message\": \"")
      writer.append(status.phrase)
      writer.append("\", \"data\": ")
      if let data { data.withUnsafeBytes { writer.append($0) } } else { writer.append("null") }
      if let id {
        writer.append(", \"id\": ")
        id.withUnsafeReadableBytes { writer.append($0) }
      }
      if !withHeaders { writer.append(terminated ? "}\0" : "}") }
    }
    guard withHeaders else { return }
    writeHeaders(response.headers)
    writeStaticString(terminated ? "}\0" : "}")
  }

  /// Writes the same as `writeResponse` for a document, to a request without `id` and `headers` in a persistent session.
  package mutating func writeDocumentResponse(_ data: UnsafeRawBufferPointer) {
    writePieces(atMost: 80 + data.count) { writer in
      writer.append("{\"code\": 200, \"message\": \"OK\", \"data\": ")
      writer.append(data)
      writer.append("}\0")
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
}
