import DocketStore

extension InMemorySession {
  func add(_ token: NewToken, completion: @escaping (Result<AccessToken, StoreError>) -> Void) {
    changeTokens(completion) { $0.add(token, now: $1) }
  }

  func revokeToken(_ nameOrID: String, completion: @escaping (Result<AccessToken?, StoreError>) -> Void) {
    changeTokens(completion) { model, now in
      Result<AccessToken?, StoreError>.success(model.revokeToken(nameOrID, now: now))
    }
  }

  func tokens(after place: TokenPlace?, limit: Int, completion: @escaping (Result<[AccessToken], StoreError>) -> Void) {
    let tokens: Result<[AccessToken], StoreError> = .success(
      repository.state.withLockedValue { $0.model.tokens(after: place, limit: limit) })
    let ticket = answers.expect(completion)
    deliver { [answers] in answers.complete(ticket, with: tokens) }
  }

  private func changeTokens<Value: Sendable>(
    _ completion: @escaping (Result<Value, StoreError>) -> Void,
    _ change: @escaping @Sendable (inout DocumentModel, Timestamp) -> Result<Value, StoreError>
  ) {
    precondition(isInTick, "a change of tokens outside a tick")
    let ticket = answers.expect(completion)
    submitted.append { repository in
      let result = repository.state.withLockedValue { change(&$0.model, repository.clock()) }
      return { $0.complete(ticket, with: result) }
    }
  }
}

extension DocumentModel {
  var tokenRoll: TokenRoll { TokenRoll(changes: tokenChanges, tokens: tokens.filter { $0.revoked == nil }) }

  func tokens(after place: TokenPlace?, limit: Int) -> [AccessToken] {
    let sorted = tokens.sorted { $0.place.isBefore($1.place) }
    return Array(sorted.drop { token in place.map { !$0.isBefore(token.place) } ?? false }.prefix(limit))
  }

  mutating func add(_ token: NewToken, now: Timestamp) -> Result<AccessToken, StoreError> {
    if let index = tokens.firstIndex(where: { $0.revoked == nil && $0.name == token.name }) {
      guard let end = tokens[index].expires, end <= now else { return .failure(.tokenExists(name: token.name)) }
      tokens[index] = tokens[index].revoked(at: now)
    }
    let added = AccessToken(
      id: token.id, name: token.name, rules: token.rules, digest: token.digest, created: now, expires: token.expires,
      revoked: nil)
    tokens.append(added)
    return .success(added)
  }

  mutating func revokeToken(_ nameOrID: String, now: Timestamp) -> AccessToken? {
    let index =
      tokens.firstIndex { $0.revoked == nil && $0.name == nameOrID }
      ?? tokens.firstIndex { $0.revoked == nil && $0.id == nameOrID }
    guard let index else { return nil }
    tokens[index] = tokens[index].revoked(at: now)
    return tokens[index]
  }
}

extension TokenPlace {
  fileprivate func isBefore(_ other: TokenPlace) -> Bool {
    created == other.created ? id.utf8.lexicographicallyPrecedes(other.id.utf8) : created < other.created
  }
}

extension AccessToken {
  fileprivate func revoked(at time: Timestamp) -> AccessToken {
    AccessToken(
      id: id, name: name, rules: rules, digest: digest, created: created, expires: expires, revoked: time)
  }
}
