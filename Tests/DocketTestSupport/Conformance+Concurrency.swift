import DocketStore
import NIOCore

extension RepositoryConformance {
  static let concurrencyChecks: [Check] = [
    Check("what sixteen sessions wrote at once is what their writes do one after another, by revision") { repository in
      let told = try await withThrowingTaskGroup(of: [(Write, WriteOutcome)].self) { group in
        var seeds = SeededGenerator.forTest(named: "sixteen sessions")
        for _ in 0..<16 {
          let driver = try SessionDriver(repository)
          var writes = RandomWrites(generator: SeededGenerator(seed: seeds.next()))
          group.addTask {
            var told: [(Write, WriteOutcome)] = []
            while told.count < 200 {
              let batch = (0..<Int.random(in: 1...8, using: &writes.generator)).map { _ in writes.write(created: []) }
              let results = try await driver.writeAll(batch)
              let outcomes = try results.map(outcome)
              let revisions = outcomes.compactMap(\.revision)
              try expect(zip(revisions, revisions.dropFirst()).allSatisfy { $0 < $1 }, "revisions out of order")
              told += zip(batch, outcomes)
            }
            return told
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      let changes = told.compactMap { write, outcome in
        outcome.revision.map { (revision: $0, write: write, outcome: outcome) }
      }
      .sorted { $0.revision < $1.revision }
      try expectEqual(Set(changes.map(\.revision)).count, changes.count, "revisions used more than once")

      var model = DocumentModel()
      for (revision, write, outcome) in changes {
        let now = Timestamp(milliseconds: revision.rawValue)
        let expected = try model.apply(write, now: now, newID: { outcome.path?.id ?? "" }).get()
        try expectEqual(expected.path, outcome.path, "revision \(revision), \(write)")
        try expectEqual(kind(of: expected), kind(of: outcome), "revision \(revision), \(write)")
      }
      let driver = try SessionDriver(repository)
      for collection in Set(changes.compactMap(\.outcome.path?.collection)) {
        let found = try await driver.page(collection)
        let expected = model.documents(in: collection)
        try expectEqual(found.map(\.path), expected.map(\.path), collection.description)
        try expectEqual(found.map(\.data), expected.map(\.data), collection.description)
        try expectEqual(found.map(\.revision.rawValue), expected.map(\.updated.milliseconds), collection.description)
      }
      try expectEqual(try await driver.status().revision, changes.last?.revision)
    },
    Check("sixteen sessions never see a document go back to an older revision") { repository in
      let path = DocumentPath("/c/", "1")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for session in 0..<16 {
          let driver = try SessionDriver(repository)
          group.addTask {
            var newest = Revision(0)
            for n in 0..<60 {
              if session < 4 {
                let outcome = try await driver.write(.put("/c/", "1", "\(n)"))
                newest = max(newest, outcome.revision ?? newest)
              }
              if let document = try await driver.document(at: path) {
                try expect(newest <= document.revision, "\(document.revision) was read after \(newest)")
                newest = document.revision
              }
            }
          }
        }
        try await group.waitForAll()
      }
    },
  ]

  /// A patch that did not fit the document counts as one that found nothing.
  private static func outcome(of result: Result<WriteOutcome, StoreError>) throws -> WriteOutcome {
    if case .failure(.patchFailed) = result { .notFound } else { try result.get() }
  }

  private static func kind(of outcome: WriteOutcome) -> String {
    switch outcome {
    case .created: "created"
    case .replaced: "replaced"
    case .deleted: "deleted"
    case .notFound: "not found"
    case .conditionFailed: "condition failed"
    }
  }
}
