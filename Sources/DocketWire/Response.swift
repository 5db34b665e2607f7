import NIOCore

/// One answer: a status, a JSON value, and headers for those who asked with headers.
public struct Response: Sendable, Equatable {
  public var status: Status
  /// JSON text, sent as it is; nil is null.
  public var data: ByteBuffer?
  public var headers: Headers

  public init(_ status: Status, data: ByteBuffer? = nil, headers: Headers = Headers()) {
    self.status = status
    self.data = data
    self.headers = headers
  }
}
