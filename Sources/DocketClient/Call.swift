import DocketWire
import NIOCore

/// A request that somebody waits for.
struct Call: Sendable, Equatable {
  let id: UInt64
  let request: Request
  /// Whether its sender knows that to carry it out twice is to carry it out once.
  let isIdempotent: Bool
  /// How often it has been tried in vain.
  var failedAttempts = 0
  /// Whether it has left, on this connection or an earlier one.
  var wasSent = false
  /// How much had happened when it was made (`ClientState`).
  var eventsBefore = 0

  init(
    id: UInt64, method: Method, path: String, data: ByteBuffer?, headers: Headers?, isIdempotent: Bool = false
  ) {
    self.id = id
    self.isIdempotent = isIdempotent
    request = Request(method: method, path: ByteBuffer(string: path), data: data, headers: headers)
  }

  private var has: (condition: Bool, key: Bool) {
    guard let headers = request.headers else { return (false, false) }
    return (headers["If-Match"] != nil || headers["If-None-Match"] != nil, headers["Idempotency-Key"] != nil)
  }

  /// Whether the server keeps its answer to such a request under an `Idempotency-Key`: to writes of documents and to batches, not
  /// to what is set for the service itself. (A token is not made under a key at all, since the secret would be kept.)
  static func takesKey(_ method: Method, _ path: some Collection<UInt8>) -> Bool {
    method != .get && (!path.starts(with: "/_".utf8) || path.elementsEqual("/_batch".utf8))
  }

  /// Whether the request may be sent again although it may have been carried out.
  ///
  /// GET changes nothing, and what has an idempotency key is carried out once. Without one, PUT and DELETE of a document
  /// leave the same state behind however often they are done (RFC 9110, section 9.2.2), although the second answer may
  /// differ: 200 for 201, 404 for 204; but with a condition they would meet their own first effect, and on the original
  /// route `/item` both take one element of many, and the second time another one. POST and PATCH are never repeated.
  var isRepeatable: Bool {
    if isIdempotent || has.key && Self.takesKey(request.method, request.path.readableBytesView) { return true }
    return switch request.method {
    case .get: true
    case .put, .delete: !request.path.readableBytesView.elementsEqual("/item".utf8) && !has.condition
    case .post, .patch, .other: false
    }
  }
}
