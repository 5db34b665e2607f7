import DocketWire
import NIOCore

/// A request that somebody waits for.
struct Call: Sendable, Equatable {
  let id: UInt64
  let request: Request
  /// How often it has been tried in vain.
  var failedAttempts = 0
  /// Whether it has left, on this connection or an earlier one.
  var wasSent = false

  init(id: UInt64, method: Method, path: String, data: ByteBuffer?, headers: Headers?) {
    self.id = id
    request = Request(method: method, path: ByteBuffer(string: path), data: data, headers: headers)
  }

  private var hasCondition: Bool {
    request.headers?["If-Match"] != nil || request.headers?["If-None-Match"] != nil
  }

  /// Whether the request may be sent again although it may have been carried out.
  ///
  /// GET changes nothing. A write with a condition would meet its own first effect. PUT and DELETE of a document leave the same state behind however often they are done (RFC
  /// 9110, section 9.2.2), although the second answer may differ: 200 for 201, 404 for 204. On the original route
  /// `/item` both take one element of many, and the second time another one. POST and PATCH are never repeated.
  var isRepeatable: Bool {
    switch request.method {
    case .get: true
    case .put, .delete: !request.path.readableBytesView.elementsEqual("/item".utf8) && !hasCondition
    case .post, .patch, .other: false
    }
  }
}
