import DocketWire
import NIOCore

/// A request in a batch.
public struct BatchedRequest: Sendable, Equatable {
  public let method: Method
  public let path: String
  /// JSON text.
  public let data: ByteBuffer?
  public let headers: Headers?

  public init(_ method: Method, _ path: String, data: ByteBuffer? = nil, options: WriteOptions = WriteOptions()) {
    self.method = method
    self.path = path
    self.data = data
    headers = options.headers
  }
}

extension DocketClient {
  /// Carries out requests in their order as one, all of them or none. Reads among them see the writes before them.
  /// - Returns: an answer for each request.
  /// - Throws: `DocketClientError.refused` with the code of the first request that failed; then nothing was changed.
  public func batch(_ requests: [BatchedRequest]) async throws -> [Answer] {
    var data = ByteBuffer(staticString: "{\"requests\": [")
    for (index, request) in requests.enumerated() {
      if let data = request.data { try Self.check(data) }
      if index > 0 { data.writeStaticString(", ") }
      data.writeRequest(
        Request(
          method: request.method, path: ByteBuffer(string: request.path), data: request.data, headers: request.headers),
        terminated: false)
    }
    data.writeStaticString("]}")
    let fields = try AnswerFields(try await success(.post, "/_batch", data: data).data)
    return try fields.elements("responses").map { response throws(DocketClientError) in
      do {
        return try Answer.parse(response)
      } catch {
        throw .badAnswer(reason: "\(error)")
      }
    }
  }
}
