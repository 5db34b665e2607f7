import DocketStore
import Foundation

extension InMemorySession {
  func revision(at time: Timestamp, completion: @escaping (Result<Revision, StoreError>) -> Void) {
    let clock = repository.clock
    readModel(completion) { model in
      time > clock() ? .failure(.ahead(newest: model.revision)) : .success(model.revision(at: time))
    }
  }

  func document(
    at path: DocumentPath, asOf moment: PastMoment, completion: @escaping (Result<Document?, StoreError>) -> Void
  ) {
    readModel(completion) { model in model.document(at: path, asOf: moment) }
  }

  func scan<State: Sendable>(
    _ collection: CollectionPath, after: String?, asOf moment: PastMoment, into state: State,
    visit: @escaping @Sendable (inout State, Document) -> ScanStep,
    completion: @escaping (Result<(state: State, stoppedBehind: String?), StoreError>) -> Void
  ) {
    readModel(completion) { model in
      if moment.revision > model.revision { return .failure(.ahead(newest: model.revision)) }
      var state = state
      for document in model.documents(in: collection, asOf: moment.revision) where moment.shows(document) {
        if let after, !after.utf8.lexicographicallyPrecedes(document.path.id.utf8) { continue }
        if case .stop = visit(&state, document) { break }
      }
      return .success((state, nil))
    }
  }

  func versions<State: Sendable>(
    of path: DocumentPath, before: Revision?, into state: State,
    visit: @escaping @Sendable (inout State, Version) -> ScanStep,
    completion: @escaping (Result<State?, StoreError>) -> Void
  ) {
    readModel(completion) { model in
      let versions = model.versions(of: path)
      guard !versions.isEmpty else { return .success(nil) }
      var state = state
      if let before, !versions.contains(where: { $0.revision == before }) { return .success(state) }
      for version in versions where before.map({ version.revision < $0 }) ?? true {
        if case .stop = visit(&state, version) { break }
      }
      return .success(state)
    }
  }

  /// Reads on another thread, as the real stores do.
  func readModel<Value: Sendable>(
    _ completion: @escaping (Result<Value, StoreError>) -> Void,
    _ read: @escaping @Sendable (DocumentModel) -> Result<Value, StoreError>
  ) {
    let ticket = answers.expect(completion)
    DispatchQueue.global().async { [repository, deliver, answers] in
      let (isClosed, model) = repository.state.withLockedValue { ($0.isClosed, $0.model) }
      let answer: Result<Value, StoreError> = isClosed ? .failure(.closed) : read(model)
      deliver { answers.complete(ticket, with: answer) }
    }
  }
}
