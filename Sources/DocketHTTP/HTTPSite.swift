import DocketServer
import DocketService
import DocketWire
import HTTPTypes
import Logging
import NIOCore

/// What all HTTP connections have in common.
struct HTTPSite: Sendable {
  let store: ServedStore
  let rules: WebRules
  let limits: HTTPLimits
  let isSecure: Bool
  let logger: Logger

  /// What there is over HTTP alone; nil: it is a resource of the service.
  func page(_ head: HTTPRequest, _ desk: HTTPDesk, from address: VisitorAddress) async -> HTTPAnswer? {
    if let page = console(head) ?? openAPI(head) { return page }
    return await metrics(head, desk, from: address)
  }

  /// The methods of a path, and what a browser wants to know of it.
  func options(_ head: HTTPRequest) -> HTTPAnswer {
    if WebRules.isPreflight(head) { return HTTPAnswer(.noContent, WebRules.preflightFields) }
    var answer = HTTPAnswer(.noContent)
    answer.fields[.allow] = allowed(at: head.path ?? "/").joined(separator: ", ")
    return answer
  }

  private func allowed(at path: String) -> [String] {
    let path = path == "*" ? "" : String(path.prefix { $0 != "?" })
    let methods: [String]
    switch path {
    case "": methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    case "/", "/echo", "/list": methods = ["GET"]
    case _ where Self.isOfConsole(path) || Self.isOpenAPI(path) || Self.isOfMetrics(path): methods = ["GET"]
    case "/item": methods = ["POST", "PUT", "DELETE"]
    default:
      // Whoever asks with a method that there is not is told those that there are.
      let operation = store.router.operation(for: DocketWire.Request(method: .other, path: ByteBuffer(string: path)))
      guard case .answer(let response) = operation, let allow = response.headers["Allow"] else { return ["OPTIONS"] }
      methods = allow.split(separator: ", ").map(String.init)
    }
    return methods + (methods.contains("GET") ? ["HEAD"] : []) + ["OPTIONS"]
  }

  /// Gives an answer what all answers have, and tells the log of it.
  /// - Parameter id: the request's.
  func finish(_ answer: inout HTTPAnswer, to head: HTTPRequest, id: String) {
    addCommonFields(to: &answer, head)
    answer.fields[RequestID.field] = id
    logger.info(
      "\(head.method.rawValue) \(RequestSummary.shown(path: head.path ?? "-")) \(answer.status.code)",
      metadata: ["id": "\(id)"])
  }

  private func addCommonFields(to answer: inout HTTPAnswer, _ head: HTTPRequest) {
    answer.fields[.date] = HTTPDate.now
    // A browser must not take a document for what its text looks like, nor an answer for one that still holds.
    answer.fields[.xContentTypeOptions] = "nosniff"
    if answer.fields[.cacheControl] == nil { answer.fields[.cacheControl] = "no-cache" }
    var vary = "Accept-Encoding"
    if !rules.origins.isEmpty {
      vary += ", Origin"
      if let origin = rules.allowedOrigin(head) {
        answer.fields[.accessControlAllowOrigin] = origin
        answer.fields[.accessControlExposeHeaders] = WebRules.exposedFields
      }
    }
    answer.fields[.vary] = vary
  }
}
