import NIOCore

/// One request, as its frame says it. The parts are slices of the frame, so nothing of a document is copied.
public struct Request: Sendable, Equatable {
  public var method: Method
  /// The path as UTF-8, not yet percent-decoded, its query string included.
  public var path: ByteBuffer
  /// The JSON text of `data`, checked; nil where the request has none.
  public var data: ByteBuffer?
  /// The JSON text of `id`, to be echoed as it was sent.
  public var id: ByteBuffer?
  public var headers: Headers?

  public init(
    method: Method, path: ByteBuffer, data: ByteBuffer? = nil, id: ByteBuffer? = nil, headers: Headers? = nil
  ) {
    self.method = method
    self.path = path
    self.data = data
    self.id = id
    self.headers = headers
  }
}
