import DocketStore

extension InMemorySession {
  func change(
    _ collection: CollectionPath, to settings: CollectionSettings?,
    completion: @escaping (Result<SettingsChange, StoreError>) -> Void
  ) {
    precondition(isInTick, "a change of settings outside a tick")
    let ticket = answers.expect(completion)
    submitted.append { repository in
      let result = repository.state.withLockedValue {
        $0.model.change(collection, to: settings, now: repository.clock())
      }
      return { $0.complete(ticket, with: result) }
    }
  }

  func settings(
    of collection: CollectionPath, completion: @escaping (Result<CollectionSettings?, StoreError>) -> Void
  ) {
    let settings = repository.state.withLockedValue { $0.model.settings[collection] }
    deliverLater(.success(settings), completion)
  }

  func allSettings(completion: @escaping (Result<[NamedSettings], StoreError>) -> Void) {
    let all = repository.state.withLockedValue { $0.model.settings }
      .map { NamedSettings($0, $1) }
      .sorted { $0.collection.description.utf8.lexicographicallyPrecedes($1.collection.description.utf8) }
    deliverLater(.success(all), completion)
  }

  private func deliverLater<Value: Sendable>(
    _ result: Result<Value, StoreError>, _ completion: @escaping (Result<Value, StoreError>) -> Void
  ) {
    let ticket = answers.expect(completion)
    deliver { [answers] in answers.complete(ticket, with: result) }
  }
}
