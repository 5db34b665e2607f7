import DocketSQLite
import DocketService
import DocketStore
import Glibc

/// The tokens of a database file, which a server may have open: it takes notice within a second.
struct FileTokens: TokenKeeper {
  let place: String
  private let file: TokenFile

  /// - Parameters:
  ///   - makesFile: whether there may be no such file yet.
  ///   - maximum: how many tokens may hold at once.
  /// - Throws: `CommandFailure`.
  init(path: String, makesFile: Bool, maximum: Int) throws(CommandFailure) {
    // A name with a mistake in it is not to become a database.
    guard makesFile || access(path, F_OK) == 0 else {
      throw CommandFailure("cannot open \(path): \(String(cString: strerror(errno)))")
    }
    do {
      var limits = TokenLimits()
      limits.holding = maximum
      file = try TokenFile.open(path: path, limits: limits)
    } catch {
      throw CommandFailure("\(error)")
    }
    place = path
  }

  func add(_ order: TokenOrder) throws(CommandFailure) -> (token: ListedToken, text: String) {
    let request: TokenRequest
    do {
      request = try TokenRequest(
        name: order.name, rules: order.rules.map(\.text), lifetimeSeconds: order.lifetime?.seconds)
    } catch {
      throw CommandFailure("\(error)", status: .usage)
    }
    let (token, text) = request.make(now: .now)
    do {
      return (ListedToken(try file.add(token)), text)
    } catch {
      throw failure(error)
    }
  }

  func revoke(_ nameOrID: String) throws(CommandFailure) -> Bool {
    do {
      return try file.revoke(nameOrID) != nil
    } catch {
      throw failure(error)
    }
  }

  func isOpen() throws(CommandFailure) -> Bool {
    do {
      return try file.isOpen()
    } catch {
      throw failure(error)
    }
  }

  func list() throws(CommandFailure) -> [ListedToken] {
    do {
      return try file.tokens().map(ListedToken.init)
    } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: StoreError) -> CommandFailure {
    switch error {
    case .tokenExists(let name):
      CommandFailure("\(place) has a token '\(name)' that is not revoked; take another name, or revoke that one first")
    case .tooManyTokens(let limit):
      CommandFailure(
        "\(limit) tokens of \(place) hold already (--max-tokens); revoke some, or make them with an end (--expires)")
    case .busy: CommandFailure("\(place) is locked by another process; try again")
    case .refused(let reason): CommandFailure("\(place) refuses it by a trigger of its own: \(reason)")
    case .failed(let reason): CommandFailure("\(place): \(reason)")
    default: CommandFailure("\(place): \(error)")
    }
  }
}

extension ListedToken {
  init(_ token: AccessToken) {
    self.init(
      name: token.name, id: token.id, rules: token.rules.rules.map(\.text), created: token.created,
      expires: token.expires, revoked: token.revoked)
  }
}
