import DocketWire

/// The terms on which a client's write is made.
public struct WriteOptions: Sendable, Equatable {
  /// What must hold of the document, or the server answers 412 and does nothing.
  public enum Condition: Sendable, Equatable {
    /// It has this revision: nobody has come between reading and writing.
    case revision(Int64)
    case exists
    case absent
  }

  public var condition: Condition?
  /// After how many seconds the document ends by itself; nil: never.
  public var expiresInSeconds: Int64?

  public init(condition: Condition? = nil, expiresInSeconds: Int64? = nil) {
    self.condition = condition
    self.expiresInSeconds = expiresInSeconds
  }

  /// As headers; nil where there are none, so that the server leaves headers out of its answer.
  var headers: Headers? {
    var headers = Headers()
    switch condition {
    case .revision(let revision): headers.append("If-Match", "\"\(revision)\"")
    case .exists: headers.append("If-Match", "*")
    case .absent: headers.append("If-None-Match", "*")
    case nil: break
    }
    if let expiresInSeconds { headers.append("Expires-In", String(expiresInSeconds)) }
    return headers.fields.isEmpty ? nil : headers
  }
}
