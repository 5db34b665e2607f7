import DocketJSON
import DocketStore
import DocketWire
import NIOCore

extension Response {
  /// To somebody who has shown no token.
  static var unauthorized: Response {
    challenge(
      "unauthorized",
      "This needs a token: send the header Authorization: Bearer docket_… with the request (in its \"headers\"), or once with the first of a persistent session; over HTTP with each. The server's operator makes one with docket token create."
    )
  }

  public static var invalidToken: Response {
    challenge(
      "invalid_token",
      "The token is not taken: it is not one of this database, or was revoked, or has expired. The server's operator makes one with docket token create."
    )
  }

  /// As 401 has it (RFC 9110, section 15.5.2).
  private static func challenge(_ code: String, _ detail: String) -> Response {
    var response = error(.unauthorized, code, detail)
    response.headers.append("WWW-Authenticate", "Bearer")
    return response
  }

  /// - Parameter token: the name of the one that was shown.
  static func forbidden(token: String, _ lack: Lack) -> Response {
    error(
      .forbidden, "forbidden",
      "The token '\(token)' does not allow this: it would take \(lack.rule). GET /_access tells what it allows; docket token create makes another."
    )
  }

  /// What somebody may do: `{"token": {"name", "id", "expiresAt"} or null, "open": true, "allow": ["admin"]}`.
  /// - Parameter isOpen: whether everybody may do everything.
  static func access(isOpen: Bool, _ rules: AccessRules, token: AccessToken? = nil) -> Response {
    var json = ByteBuffer(staticString: "{\"token\": ")
    if let token {
      json.writeStaticString("{\"name\": ")
      json.writeJSONString(token.name)
      json.writeStaticString(", \"id\": ")
      json.writeJSONString(token.id)
      json.writeStaticString(", \"expiresAt\": ")
      json.writeJSONTime(token.expires)
      json.writeStaticString("}")
    } else {
      json.writeStaticString("null")
    }
    json.writeString(", \"open\": \(isOpen), \"allow\": \(rules.json)}")
    return Response(.ok, data: json)
  }

  static func rateLimited(_ flag: String, _ seconds: Int) -> Response {
    retry(
      .tooManyRequests, "rate_limited", "There were more requests than may be made in a second (\(flag)).",
      afterSeconds: seconds)
  }

  /// - Parameter limit: of frames, as long as nobody is known.
  public static func authenticateFirst(limit: Int) -> Response {
    error(
      .contentTooLarge, "authenticate_first",
      "Before a token is known a request may have \(limit) bytes (--stranger-frame-bytes): send the token with a small request first, or write \"headers\" before \"data\"."
    )
  }
}
