import DocketWire

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

  static var forbidden: Response {
    error(
      .forbidden, "forbidden",
      "The token does not allow this. What it allows is shown by docket token list; another one can be made with docket token create."
    )
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
