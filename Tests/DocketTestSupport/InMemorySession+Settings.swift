import DocketStore

extension InMemorySession {
  func change(
    _ collection: CollectionPath, to settings: CollectionSettings?,
    completion: @escaping (Result<SettingsChange, StoreError>) -> Void
  ) {
    precondition(isInTick, "a change of settings outside a tick")
    let ticket = answers.expect(completion)
    submitted.append { repository in
      let change = repository.state.withLockedValue { state in
        let former = state.settings.updateValue(settings ?? CollectionSettings(), forKey: collection)
        if settings == nil { state.settings[collection] = nil }
        return SettingsChange(
          existed: former != nil, indexes: state.settings.values.reduce(0) { $0 + $1.indexes.count })
      }
      let result: Result<SettingsChange, StoreError> = .success(change)
      return { $0.complete(ticket, with: result) }
    }
  }

  func settings(
    of collection: CollectionPath, completion: @escaping (Result<CollectionSettings?, StoreError>) -> Void
  ) {
    let settings = repository.state.withLockedValue { $0.settings[collection] }
    deliverLater(.success(settings), completion)
  }

  func allSettings(completion: @escaping (Result<[NamedSettings], StoreError>) -> Void) {
    let all = repository.state.withLockedValue { $0.settings }
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
