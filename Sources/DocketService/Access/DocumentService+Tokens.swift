import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func perform(_ operation: TokenOperation, completion: @escaping (Response) -> Void) {
    switch operation {
    case .create(let request):
      let (token, text) = request.make(now: .now)
      session.add(token) { [self] result in
        switch result {
        case .success(let token):
          let response = Response(.created, data: .token(token, text: text))
          afterAccessChange { completion(response) }
        case .failure(let error): completion(error.response)
        }
      }
    case .readPage(let page):
      // One more tells whether there is another page.
      session.tokens(after: page.after, limit: page.limit + 1) { result in
        switch result {
        case .success(let tokens): completion(Response(.ok, data: .tokens(tokens, limit: page.limit)))
        case .failure(let error): completion(error.response)
        }
      }
    case .revoke(let name):
      session.revokeToken(name) { [self] result in
        switch result {
        case .success(.some): afterAccessChange { completion(Response(.noContent)) }
        case .success(nil):
          completion(
            .error(
              .notFound, "no_token",
              "There is no token '\(TokenText.masked(name).shortened)' that is not revoked already."))
        case .failure(let error): completion(error.response)
        }
      }
    }
  }

  /// Has what was changed hold everywhere before it is answered.
  private func afterAccessChange(_ body: @escaping () -> Void) {
    guard let accessChanged else { return body() }
    accessChanged(body)
  }
}

extension ByteBuffer {
  /// - Parameter text: what its bearer shows, told once.
  fileprivate static func token(_ token: AccessToken, text: String) -> ByteBuffer {
    var json = ByteBuffer()
    json.writeToken(token)
    json.writeStaticString(", \"token\": ")
    json.writeJSONString(text)
    json.writeStaticString("}")
    return json
  }

  /// `{"items": […], "next": cursor or null}`
  fileprivate static func tokens(_ tokens: [AccessToken], limit: Int) -> ByteBuffer {
    var json = ByteBuffer(staticString: "{\"items\": [")
    let page = tokens.prefix(limit)
    for (number, token) in page.enumerated() {
      if number > 0 { json.writeStaticString(", ") }
      json.writeToken(token)
      json.writeStaticString(", \"revokedAt\": ")
      json.writeJSONTime(token.revoked)
      json.writeStaticString("}")
    }
    json.writeStaticString("], \"next\": ")
    if tokens.count > limit, let last = page.last {
      json.writeJSONString(last.place.cursor)
    } else {
      json.writeStaticString("null")
    }
    json.writeStaticString("}")
    return json
  }

  /// Its brace left open.
  private mutating func writeToken(_ token: AccessToken) {
    writeStaticString("{\"name\": ")
    writeJSONString(token.name)
    writeStaticString(", \"id\": ")
    writeJSONString(token.id)
    writeStaticString(", \"allow\": ")
    writeString(token.rules.json)
    writeStaticString(", \"createdAt\": ")
    writeJSONTime(token.created)
    writeStaticString(", \"expiresAt\": ")
    writeJSONTime(token.expires)
  }
}
