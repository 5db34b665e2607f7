import DocketJSON
import NIOCore

extension ByteBuffer {
  /// Writes a request's frame.
  ///
  /// - Parameter terminated: whether a NUL stands behind it; in a batch none does.
  /// - Precondition: `data` and `id` are valid JSON texts, which hold no NUL, and `path` is UTF-8.
  public mutating func writeRequest(_ request: Request, terminated: Bool = true) {
    writeStaticString("{\"method\": ")
    writeJSONString(request.method.rawValue)
    writeStaticString(", \"path\": ")
    writeJSONString(String(buffer: request.path))
    if let id = request.id {
      writeStaticString(", \"id\": ")
      writeImmutableBuffer(id)
    }
    if let headers = request.headers {
      writeStaticString(", \"headers\": {")
      for (index, field) in headers.fields.enumerated() {
        if index > 0 { writeStaticString(", ") }
        writeJSONString(field.name)
        writeStaticString(": ")
        writeJSONString(field.value)
      }
      writeStaticString("}")
    }
    if let data = request.data {
      writeStaticString(", \"data\": ")
      writeImmutableBuffer(data)
    }
    writeStaticString(terminated ? "}\0" : "}")
  }
}
