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

  /// How long the document lives.
  public enum Lifetime: Sendable, Equatable {
    /// It ends by itself after so long.
    case seconds(Int64)
    /// For good, whatever is set for its collection.
    case forever
  }

  public var condition: Condition?
  /// nil: as is set for the document's collection, for good where nothing is.
  public var lifetime: Lifetime?

  public init(condition: Condition? = nil, lifetime: Lifetime? = nil) {
    self.condition = condition
    self.lifetime = lifetime
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
    switch lifetime {
    case .seconds(let seconds): headers.append("Expires-In", String(seconds))
    case .forever: headers.append("Expires-In", "never")
    case nil: break
    }
    return headers.fields.isEmpty ? nil : headers
  }
}
