import DocketJSON
import DocketWire
import HTTPTypes
import NIOCore

/// Errors that are HTTP's own: the native protocol has no such thing.
struct HTTPProblem: Error, Sendable {
  let status: HTTPResponse.Status
  let code: String
  let detail: String

  init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
    self.status = status
    self.code = code
    self.detail = detail
  }

  var text: ByteBuffer {
    var error = ByteBuffer(staticString: "{\"error\": ")
    error.writeJSONString(code)
    error.writeStaticString(", \"detail\": ")
    error.writeJSONString(detail)
    error.writeStaticString("}")
    return .problem(status: status.code, title: status.reasonPhrase, data: error)
  }
}

/// Errors as HTTP tells them: `application/problem+json` (RFC 9457).
///
///     {"type": "about:blank", "title": "Not Found", "status": 404, "error": "no_document", "detail": "…"}
///
/// `error` is the stable code of the native protocol; members that an error has besides follow `detail`.
extension ByteBuffer {
  static func problem(_ response: Response) -> ByteBuffer {
    guard response.status == .badRequest, response.data == nil else {
      return problem(status: response.status.rawValue, title: "\(response.status.phrase)", data: response.data)
    }
    // The original server says no more.
    return HTTPProblem(
      .badRequest, "bad_request",
      "The path names nothing here, or the body is not what it takes: a document's path has two segments or more, such as /notes/42; a collection's ends with a slash."
    ).text
  }

  /// - Parameter data: the native error: an object, or nothing at all.
  static func problem(status: Int, title: String, data: ByteBuffer?) -> ByteBuffer {
    var text = ByteBuffer(staticString: "{\"type\": \"about:blank\", \"title\": ")
    text.writeJSONString(title)
    text.writeStaticString(", \"status\": ")
    text.writeDecimal(Int64(status))
    // The members of `{"error": …}` as they stand.
    if let data, data.readableBytesView.first == UInt8(ascii: "{"), data.readableBytes > 2 {
      text.writeStaticString(", ")
      text.writeBytes(data.readableBytesView.dropFirst())
    } else {
      text.writeStaticString("}")
    }
    return text
  }
}
