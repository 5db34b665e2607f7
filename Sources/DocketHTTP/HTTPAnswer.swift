import DocketWire
import HTTPTypes
import HummingbirdCore
import NIOCore

/// What a request is answered over HTTP.
struct HTTPAnswer: Sendable {
  enum Body: Sendable {
    case none
    case bytes(ByteBuffer)
    case stream(EventStreams.ID)
  }

  var status: HTTPResponse.Status
  var fields: HTTPFields
  var body: Body

  init(_ status: HTTPResponse.Status, _ fields: HTTPFields = [:], _ body: Body = .none) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  init(_ problem: HTTPProblem) {
    self.init(problem.status, [.contentType: Self.problemType], .bytes(problem.text))
  }

  /// What the native protocol answers: `data` is the body.
  init(_ response: DocketWire.Response) {
    self.init(HTTPResponse.Status(code: response.status.rawValue, reasonPhrase: "\(response.status.phrase)"))
    for field in response.headers.fields {
      // Names of the service's own are HTTP's.
      if let name = HTTPField.Name(field.name) { fields.append(HTTPField(name: name, value: field.value)) }
    }
    if response.status.isError {
      fields[.contentType] = Self.problemType
      body = .bytes(.problem(response))
    } else if response.status != .noContent, response.status != .notModified {
      fields[.contentType] = "application/json"
      body = .bytes(response.data ?? ByteBuffer(staticString: "null"))
    }
  }

  static func events(_ stream: EventStreams.ID) -> HTTPAnswer {
    HTTPAnswer(.ok, [.contentType: "text/event-stream"], .stream(stream))
  }

  static let problemType = "application/problem+json"
}
