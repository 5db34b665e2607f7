import DocketStore
import NIOCore

extension RepositoryConformance {
  static let randomChecks: [Check] = [
    Check("random operations do what they do to the model, step by step") { repository in
      let drivers = [try SessionDriver(repository), try SessionDriver(repository), try SessionDriver(repository)]
      var comparison = Comparison(writes: RandomWrites(generator: .forTest(named: "random operations")))
      try await comparison.run(steps: 3_000, drivers)
    },
    Check("random operations keep to what is set for their collections, step by step") { repository in
      let drivers = [try SessionDriver(repository), try SessionDriver(repository)]
      var comparison = Comparison(writes: RandomWrites(generator: .forTest(named: "random rules")))
      let unique = [["a"], ["b.c", "a"], ["n"]].map { CollectionIndex($0.map(CollectionIndex.Key.init(name:))) }
      let settings = [
        "/a/": CollectionSettings(unique: [unique[0]]), "/b/": CollectionSettings(requiresCondition: true),
        "/a/x/": CollectionSettings(unique: Array(unique[1...]), lifetimeSeconds: 86_400),
      ]
      for (collection, settings) in settings {
        _ = try await drivers[0].change(CollectionPath(unchecked: collection), to: settings)
        comparison.model.settings[CollectionPath(unchecked: collection)] = settings
      }
      try await comparison.run(steps: 1_500, drivers)
      try expect(comparison.refusals > 50, "\(comparison.refusals) writes were refused")
    },
  ]

  /// The model beside the store. Its revisions and times count up by one, the store's may leave gaps and stand still, so
  /// they are compared through what the store has told before.
  private struct Comparison {
    var writes: RandomWrites
    var model = DocumentModel()
    var created: [DocumentPath] = []
    var revisions: [Revision: Revision] = [:]
    var times: [Timestamp: Timestamp] = [:]
    /// How many writes were refused by a rule of their collection.
    var refusals = 0

    mutating func run(steps: Int, _ drivers: [SessionDriver]) async throws {
      for step in 0..<steps {
        do {
          try await self.step(drivers)
        } catch {
          throw Failure(description: "step \(step): \(error)")
        }
      }
      try await compareAll(drivers[0])
    }

    mutating func step(_ drivers: [SessionDriver]) async throws {
      let driver = writes.element(drivers)
      switch Int.random(in: 0..<10, using: &writes.generator) {
      case 0..<7:
        let count = Int.random(in: 1...6, using: &writes.generator)
        let batch = (0..<count).map { _ in termed(writes.write(created: created)) }
        for (write, result) in zip(batch, try await driver.writeAll(batch.map(translated))) {
          try compare(write, result)
        }
      case 7..<9:
        let path = writes.path(created: created)
        try compare(try await driver.document(at: path), model.document(at: path), path)
      default:
        let collection = writes.collection()
        let after = Bool.random(using: &writes.generator) ? nil : writes.id()
        let limit = Int.random(in: 1...20, using: &writes.generator)
        let found = try await driver.page(collection, after: after, limit: limit)
        try compare(found, Array(model.documents(in: collection, after: after).prefix(limit)))
      }
    }

    func compareAll(_ driver: SessionDriver) async throws {
      var comparison = self
      for collection in Set(model.changes.map(\.path.collection)) {
        try comparison.compare(try await driver.page(collection), model.documents(in: collection))
      }
      let told = comparison.times.sorted { $0.key < $1.key }.map(\.value)
      try expectEqual(told, told.sorted(), "times in the order of revisions")
    }

    /// The write on terms of its own, now and then; they name revisions of the model.
    private mutating func termed(_ write: Write) -> Write {
      var terms = WriteTerms(isDryRun: Int.random(in: 0..<8, using: &writes.generator) == 0)
      if let path = write.action.document, Bool.random(using: &writes.generator) {
        let current = model.document(at: path)?.revision
        let known = Array(Set([current, revisions.keys.min()].compactMap { $0 }))
        terms.condition = writes.element([.exists, .absent, .oneOf(known), .noneOf(known)])
      }
      // What lives for a day outlives the test; that it ends is for other tests.
      if Int.random(in: 0..<8, using: &writes.generator) == 0 { terms.lifetime = .milliseconds(86_400_000) }
      return write.on(terms)
    }

    /// The write as the store must be told of it, with the store's own revisions in its condition.
    private func translated(_ write: Write) -> Write {
      var terms = write.terms
      switch terms.condition {
      case .oneOf(let own): terms.condition = .oneOf(own.compactMap { revisions[$0] })
      case .noneOf(let own): terms.condition = .noneOf(own.compactMap { revisions[$0] })
      case .exists, .absent, nil: break
      }
      return write.on(terms)
    }

    private mutating func compare(_ write: Write, _ result: Result<WriteOutcome, StoreError>) throws {
      let newest = model.revision
      let now = Timestamp(milliseconds: newest.rawValue + 1)
      if case .failure(.patchFailed(let error)) = result {
        return try expectEqual(model.apply(write, now: now, newID: { "" }), .failure(.patchFailed(error)), "\(write)")
      }
      if case .failure(let error) = result, error.isRuleOfCollection {
        refusals += 1
        return try expectEqual(model.apply(write, now: now, newID: { "" }), .failure(error), "\(write)")
      }
      let outcome = try result.get()
      if case .create = write.action, !write.terms.isDryRun, let path = outcome.path { created.append(path) }
      let expected = try model.apply(write, now: now, newID: { outcome.path?.id ?? "" }).get()
      switch (outcome, expected) {
      case (.created(let path, let revision), .created(let other, let own)),
        (.replaced(let path, let revision), .replaced(let other, let own)),
        (.deleted(let path, let revision), .deleted(let other, let own)):
        try expectEqual(path, other, "\(write)")
        try expect(revisions[newest].map { $0 < revision } ?? true, "\(write): the revision did not rise")
        if !write.terms.isDryRun { revisions[own] = revision }
      case (.notFound, .notFound): break
      case (.conditionFailed(let current), .conditionFailed(let own)):
        try expectEqual(current, own.map { revisions[$0] ?? $0 }, "\(write)")
      default: throw Failure(description: "\(write): answered \(outcome), expected \(expected)")
      }
    }

    private mutating func compare(_ found: [Document], _ expected: [Document]) throws {
      try expectEqual(found.map(\.path), expected.map(\.path), "a page")
      for (found, expected) in zip(found, expected) { try compare(found, expected, expected.path) }
    }

    private mutating func compare(_ found: Document?, _ expected: Document?, _ path: DocumentPath) throws {
      guard let found, let expected else {
        return try expectEqual(found == nil, expected == nil, "whether \(path) is absent")
      }
      try expectEqual(found.path, expected.path)
      try expectEqual(found.data, expected.data, "data of \(path)")
      try expectEqual(found.revision, revisions[expected.revision], "revision of \(path)")
      for (time, own) in [(found.created, expected.created), (found.updated, expected.updated)] {
        try expectEqual(times[own] ?? time, time, "time of revision \(own.milliseconds) at \(path)")
        times[own] = time
      }
    }
  }
}

extension StoreError {
  fileprivate var isRuleOfCollection: Bool {
    switch self {
    case .duplicate, .conditionRequired: true
    default: false
    }
  }
}
