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
