import DocketMetrics
import DocketService
import DocketWire
import HTTPTypes
import NIOCore

/// What Prometheus scrapes.
extension HTTPSite {
  private static let metricsPath = "/metrics"

  static func isOfMetrics(_ path: some StringProtocol) -> Bool { path == metricsPath }

  /// nil for another path.
  func metrics(_ head: HTTPRequest, _ desk: HTTPDesk, from address: VisitorAddress, _ progress: RequestProgress) async
    -> HTTPAnswer?
  {
    guard Self.isOfMetrics((head.path ?? "/").prefix { $0 != "?" }) else { return nil }
    switch await desk.readMetrics(Headers(head.headerFields), from: address, progress) {
    case .response(let response): return HTTPAnswer(response)
    case .text(let text):
      guard head.method == .get || head.method == .head else {
        var answer = HTTPAnswer(
          HTTPProblem(.methodNotAllowed, "method_not_allowed", "/metrics has the methods GET and HEAD."))
        answer.fields.append("Allow", "GET, HEAD, OPTIONS")
        return answer
      }
      return HTTPAnswer(
        .ok, Headers([(HTTPAnswer.contentType, Exposition.contentType)]), .bytes(ByteBuffer(string: text)))
    }
  }
}
