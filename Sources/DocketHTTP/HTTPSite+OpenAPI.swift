import DocketOpenAPI
import HTTPTypes

/// The service's description for programs. It tells nothing of what is stored, so that it is for everybody.
extension HTTPSite {
  private static let openAPIPath = "/_openapi.json"
  private static let openAPI = EmbeddedFile(OpenAPIDocument.json, contentType: "application/json")

  static func isOpenAPI(_ path: some StringProtocol) -> Bool { path == openAPIPath }

  /// nil for another path.
  func openAPI(_ head: HTTPRequest) -> HTTPAnswer? {
    Self.isOpenAPI((head.path ?? "/").prefix { $0 != "?" }) ? Self.openAPI.answer(head) : nil
  }
}
