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

  /// What is compiled into the program; nil: it is something else.
  func page(_ head: HTTPRequest) -> HTTPAnswer? { console(head) ?? openAPI(head) }

  /// The methods of a path, and what a browser wants to know of it.
  func options(_ head: HTTPRequest) -> HTTPAnswer {
    if WebRules.isPreflight(head) { return HTTPAnswer(.noContent, WebRules.preflightFields) }
    return HTTPAnswer(.noContent, Headers([("Allow", allowed(at: head.path ?? "/").joined(separator: ", "))]))
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
    return methods.withMethodsOfHTTP
  }

  /// Gives an answer what all answers have, and tells the log of it.
  func finish(_ answer: inout HTTPAnswer, to request: RequestOutline) {
    addCommonFields(to: &answer.fields, request)
    logger.info(
      "\(request.method) \(RequestSummary.shown(path: request.target ?? "-")) \(answer.status.code)",
      metadata: ["id": "\(TokenText.masked(request.id))"])
  }

  private func addCommonFields(to fields: inout Headers, _ request: RequestOutline) {
    // A browser must not take a document for what its text looks like, nor an answer for one that still holds.
    if fields["Cache-Control"] == nil { fields.append("Cache-Control", "no-cache") }
    fields.append("Date", HTTPDate.now)
    fields.append("X-Content-Type-Options", "nosniff")
    fields.append(RequestID.field, request.id)
    guard !rules.origins.isEmpty else { return fields.append("Vary", "Accept-Encoding") }
    fields.append("Vary", "Accept-Encoding, Origin")
    guard let origin = rules.allowedOrigin(request) else { return }
    fields.append("Access-Control-Allow-Origin", origin)
    fields.append("Access-Control-Expose-Headers", WebRules.exposedFields)
  }
}
