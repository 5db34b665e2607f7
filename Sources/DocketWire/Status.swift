/// The `code` of a response: HTTP's status codes (RFC 9110, section 15).
public enum Status: Int, Sendable, CaseIterable {
  case ok = 200
  case created = 201
  case noContent = 204
  case notModified = 304
  case badRequest = 400
  case unauthorized = 401
  case forbidden = 403
  case notFound = 404
  case methodNotAllowed = 405
  case requestTimeout = 408
  case conflict = 409
  case gone = 410
  case preconditionFailed = 412
  case contentTooLarge = 413
  case unprocessable = 422
  case preconditionRequired = 428
  case tooManyRequests = 429
  case internalServerError = 500
  case serviceUnavailable = 503
  case insufficientStorage = 507

  /// Whether the request was not carried out.
  public var isError: Bool { rawValue >= 400 }

  /// The `message` of a response. 422 keeps the older phrase (RFC 4918), which the original server used.
  public var phrase: StaticString {
    switch self {
    case .ok: "OK"
    case .created: "Created"
    case .noContent: "No Content"
    case .notModified: "Not Modified"
    case .badRequest: "Bad Request"
    case .unauthorized: "Unauthorized"
    case .forbidden: "Forbidden"
    case .notFound: "Not Found"
    case .methodNotAllowed: "Method Not Allowed"
    case .requestTimeout: "Request Timeout"
    case .conflict: "Conflict"
    case .gone: "Gone"
    case .preconditionFailed: "Precondition Failed"
    case .contentTooLarge: "Content Too Large"
    case .unprocessable: "Unprocessable Entity"
    case .preconditionRequired: "Precondition Required"
    case .tooManyRequests: "Too Many Requests"
    case .internalServerError: "Internal Server Error"
    case .serviceUnavailable: "Service Unavailable"
    case .insufficientStorage: "Insufficient Storage"
    }
  }
}
