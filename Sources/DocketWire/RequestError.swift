import DocketJSON
import NIOCore

/// Why a frame is not a request.
public struct RequestError: Error, Sendable, Equatable {
  public enum Reason: Sendable, Equatable {
    /// Not JSON, or nested too deep: 422.
    case json(JSONError)
    /// JSON, but not an object: 422.
    case notAnObject
    /// `method` or `path` is missing or not a string that can be read: 400.
    case method
    case path
    /// `id` is neither a string of at most 64 bytes nor an integer: 400.
    case id
    /// `headers` is not an object of strings and numbers: 400.
    case headers
  }

  public let reason: Reason
  /// As much of the request as could be read, so that the answer can take its form and its `id`.
  public let path: ByteBuffer?
  public let id: ByteBuffer?
  public let headers: Headers?

  public init(_ reason: Reason, path: ByteBuffer? = nil, id: ByteBuffer? = nil, headers: Headers? = nil) {
    self.reason = reason
    self.path = path
    self.id = id
    self.headers = headers
  }
}
