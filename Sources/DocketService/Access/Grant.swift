import DocketStore
import Synchronization

/// What somebody may do, for as long as it holds. Whoever acts on it asks each time whether it still does: it ends for all
/// connections at once.
final class Grant: Sendable {
  let rules: AccessRules
  /// Of the token that it comes from; nil where there is none.
  let token: AccessToken?
  /// The requests that all connections with this token may make; nil: as many as they like.
  let allowance: RequestAllowance?
  private let over = Atomic(false)

  init(_ rules: AccessRules, token: AccessToken? = nil, allowance: RequestAllowance? = nil) {
    self.rules = rules
    self.token = token
    self.allowance = allowance
  }

  var isOver: Bool { over.load(ordering: .relaxed) }

  func end() { over.store(true, ordering: .relaxed) }
}
