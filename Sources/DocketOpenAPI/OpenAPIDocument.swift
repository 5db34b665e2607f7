/// What this service does over HTTP, told as OpenAPI 3.1 has it (https://spec.openapis.org/oas/v3.1.1.html).
///
/// `openapi.json` is written by hand; Tests/HTTP/test_openapi.py holds it against a live server.
public enum OpenAPIDocument {
  public static let json: [UInt8] = PackageResources.openapi_json
}
