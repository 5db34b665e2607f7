import DocketService
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
  /// What it takes of the room for answers.
  var share: AnswerRoom.Share?

  init(_ status: HTTPResponse.Status, _ fields: Headers = Headers(), _ body: Body = .none) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  init(_ problem: HTTPProblem) {
    self.init(problem.status, Headers([(Self.contentType, Self.problemType)]), .bytes(problem.text))
  }

  init(_ refusal: DocketWire.Response?, or problem: HTTPProblem) {
    if let refusal { self.init(refusal) } else { self.init(problem) }
  }

  /// What the native protocol answers: `data` is the body.
  init(_ response: DocketWire.Response) {
    let code = response.status.rawValue
    guard !response.status.isError else {
      self.init(
        HTTPResponse.Status(code: code, reasonPhrase: "\(response.status.phrase)"),
        response.headers.allowingMethodsOfHTTP, .bytes(.problem(response)))
      fields.append(Self.contentType, Self.problemType)
      return
    }
    self.init(HTTPResponse.Status(integerLiteral: code), response.headers.encodedForHTTP)
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

extension [String] {
  /// The methods of a path as the native protocol has them, with those that HTTP adds.
  var withMethodsOfHTTP: [String] { self + (contains("GET") ? ["HEAD"] : []) + ["OPTIONS"] }
}

extension Headers {
  fileprivate var allowingMethodsOfHTTP: Headers {
    guard let allow = self["Allow"] else { return self }
    let all = allow.split(separator: ", ").map(String.init).withMethodsOfHTTP.joined(separator: ", ")
    return Headers(fields.map { ($0.name, $0.name == "Allow" ? all : $0.value) })
  }

  /// `Location` as a reference may be (RFC 3986, section 2): the native protocol takes any character in a path.
  fileprivate var encodedForHTTP: Headers {
    guard let location = self["Location"], location.utf8.contains(where: { !$0.isPlainInPath }) else { return self }
    let encoded = location.utf8.reduce(into: "") { text, byte in
      if byte.isPlainInPath {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += (byte < 0x10 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return Headers(fields.map { ($0.name, $0.name == "Location" ? encoded : $0.value) })
  }
}

extension UInt8 {
  /// What a path may hold as it is; a percent sign begins what is encoded already.
  fileprivate var isPlainInPath: Bool {
    switch self {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "-._~!$&'()*+,;=:@/%".utf8.contains(self)
    }
  }
}
