import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  /// `{"items": […], "next": …, "sequence": …, "history": …}`
  func readChanges(_ request: ChangesRequest, completion: @escaping (Response) -> Void) {
    let (limit, pageBytes) = (request.limit, limits.pageBytes)
    session.changes(
      ChangeRange(after: request.since, withBefore: request.filter != nil, scanLimit: Self.changesLookedAt),
      into: ChangesPage(),
      visit: { page, change in page.add(change, told: request.told(change), limit: limit, bytes: pageBytes) },
      completion: { result in
        switch result {
        case .success((_, _, let history)) where request.history.map { $0 != history } ?? false:
          completion(.otherHistory(history))
        case .success((var page, let progress, let history)):
          completion(Response(.ok, data: page.finish(progress, since: request.since, history)))
        case .failure(.ahead(let newest)) where request.history != nil: self.refuse(request, newest, completion)
        case .failure(let error): completion(error.response)
        }
      })
  }

  /// Of another history a revision may be ahead.
  private func refuse(_ request: ChangesRequest, _ newest: Revision, _ completion: @escaping (Response) -> Void) {
    session.status { result in
      let history = try? result.get().historyID
      completion(
        history.flatMap { $0 == request.history ? nil : .otherHistory($0) } ?? StoreError.ahead(newest: newest).response
      )
    }
  }

  /// A page of changes ends by itself when it has looked at so many.
  private static let changesLookedAt = 100_000
}

extension Response {
  static func otherHistory(_ history: String) -> Response {
    .error(
      .conflict, "other_history",
      "'since' is of another history of the database than the one there is now, \(history); what it numbers is not the same here. Begin anew, with a snapshot."
    )
  }
}
