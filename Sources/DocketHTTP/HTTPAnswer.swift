import DocketWire
import HTTPTypes
import NIOCore

/// What a request is answered over HTTP.
struct HTTPAnswer: Sendable {
  enum Body: Sendable {
    case none
    case bytes(ByteBuffer)
    case stream(EventStreams.ID)
  }

  var status: HTTPResponse.Status
  /// The native protocol's names of headers are HTTP's.
  var fields: Headers
  var body: Body

  init(_ status: HTTPResponse.Status, _ fields: Headers = Headers(), _ body: Body = .none) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  init(_ problem: HTTPProblem) {
    self.init(problem.status, Headers([(Self.contentType, Self.problemType)]), .bytes(problem.text))
  }

  /// What the native protocol answers: `data` is the body.
  init(_ response: DocketWire.Response) {
    let code = response.status.rawValue
    guard !response.status.isError else {
      self.init(
        HTTPResponse.Status(code: code, reasonPhrase: "\(response.status.phrase)"), response.headers,
        .bytes(.problem(response)))
      fields.append(Self.contentType, Self.problemType)
      return
    }
    self.init(HTTPResponse.Status(integerLiteral: code), response.headers)
    // Those that all answers have come to it.
    fields.reserveCapacity(12)
    guard response.status != .noContent, response.status != .notModified else { return }
    fields.append(Self.contentType, Self.jsonType)
    body = .bytes(response.data ?? ByteBuffer(staticString: "null"))
  }

  static func events(_ stream: EventStreams.ID) -> HTTPAnswer {
    HTTPAnswer(.ok, Headers([(contentType, "text/event-stream")]), .stream(stream))
  }

  static let problemType = "application/problem+json"
  static let jsonType = "application/json"
  static let contentType = "Content-Type"
}
