import DocketStore
import NIOConcurrencyHelpers
import NIOCore

extension RepositoryConformance {
  static let transactionChecks: [Check] = [
    Check("reads and scans within a batch see its writes, and all stay if it says so") { repository in
      let driver = try SessionDriver(repository)
      _ = try await driver.write(.put("/t/", "1", "1"))
      let seen = try await driver.texts(
        batch { access in
          var seen: [String] = []
          access.submit(.put("/t/", "2", "2")) { seen.append("\($0)".contains("created") ? "created" : "\($0)") }
          access.submit(.delete("/t/", "1")) { seen.append("\($0)".contains("deleted") ? "deleted" : "\($0)") }
          access.document(at: DocumentPath("/t/", "1")) { seen.append("\($0)") }
          access.document(at: DocumentPath("/t/", "2")) { seen.append((try? $0.get())?.text ?? "none") }
          access.submit(.mergePatch("/t/", "2", #"{"a":1}"#)) { _ in }
          access.scan(CollectionPath(unchecked: "/t/"), after: nil, into: [String]()) { texts, document in
            texts.append(document.text)
            return .next
          } completion: {
            seen += (try? $0.get()) ?? []
          }
          return (seen, true)
        })
      try expectEqual(seen, ["created", "deleted", "success(nil)", "2", #"{"a":1}"#])
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/t/")).map(\.text), [#"{"a":1}"#])
    },
    Check("a batch that says so is undone as a whole, and its neighbours are not") { repository in
      let driver = try SessionDriver(repository)
      let before = try await driver.write(.put("/t/", "1", "1")).revision
      let answers = NIOLockedValueBox<[String]>([])
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        @Sendable func tell(_ text: String) {
          let count = answers.withLockedValue { answers in
            answers.append(text)
            return answers.count
          }
          if count == 3 { continuation.resume() }
        }
        driver.tick { session in
          session.submit(.put("/t/", "before", "1")) { _ in tell("first") }
          session.transact(
            Transaction(.batch, bytes: 10, key: nil) { access in
              access.submit(.put("/t/", "1", "2")) { _ in }
              access.submit(.put("/t/", "new", "2")) { _ in }
              access.submit(.delete("/t/", "before")) { _ in }
              return TransactionResult(0, keepsWrites: false, kept: nil)
            }
          ) { _ in tell("batch") }
          session.submit(.put("/t/", "after", "1")) { _ in tell("last") }
        }
      }
      try expectEqual(answers.withLockedValue { $0 }, ["first", "batch", "last"], "the order of answers")
      let page = try await driver.page(CollectionPath(unchecked: "/t/"))
      try expectEqual(page.map(\.path.id), ["1", "after", "before"])
      try expectEqual(page.first?.revision, before)
      let revisions = Set(page.map(\.revision.rawValue))
      try expectEqual(try await driver.status().revision.rawValue, revisions.max(), "the counter")
      try expectEqual(revisions.count, 3)
    },
    Check("a dry run within a batch changes nothing, and what follows sees that") { repository in
      let driver = try SessionDriver(repository)
      let seen = try await driver.texts(
        batch { access in
          var seen = ""
          access.submit(.put("/t/", "1", "1")) { _ in }
          access.submit(Write.put("/t/", "1", "2").on(WriteTerms(isDryRun: true))) { _ in }
          access.document(at: DocumentPath("/t/", "1")) { seen = (try? $0.get())?.text ?? "none" }
          return ([seen], true)
        })
      try expectEqual(seen, ["1"])
      try expectEqual(try await driver.document(at: DocumentPath("/t/", "1"))?.text, "1")
    },
    Check("what is kept under a key is told again, another request under it is told so, and neither does anything") {
      repository in
      let driver = try SessionDriver(repository)
      @Sendable func transaction(_ text: String, fingerprint: UInt64, kept: String?) -> Transaction<Int> {
        Transaction(
          .single, bytes: 1, key: IdempotencyKey(name: "key", fingerprint: fingerprint)
        ) { access in
          access.submit(.create(in: "/t/", text)) { _ in }
          return TransactionResult(7, keepsWrites: true, kept: kept.map { ByteBuffer(string: $0) })
        }
      }
      let outcomes = [
        try await driver.transact(transaction("0", fingerprint: 1, kept: nil)),
        try await driver.transact(transaction("1", fingerprint: 1, kept: "first")),
        try await driver.transact(transaction("2", fingerprint: 1, kept: "second")),
        try await SessionDriver(repository).transact(transaction("3", fingerprint: .max, kept: "third")),
      ]
      let told = outcomes.map { outcome in
        switch outcome {
        case .answered(let answer): "\(answer)"
        case .repeated(let text): String(buffer: text)
        case .keyInUse: "in use"
        }
      }
      try expectEqual(told, ["7", "7", "first", "in use"])
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/t/")).map(\.text), ["0", "1"])
    },
    Check("under one key, sixteen sessions at once do it once") { repository in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<16 {
          let driver = try SessionDriver(repository)
          group.addTask {
            let outcome = try await driver.transact(
              Transaction(.batch, bytes: 1, key: IdempotencyKey(name: "k", fingerprint: 3)) { access in
                access.submit(.create(in: "/t/", "1")) { _ in }
                access.submit(.create(in: "/t/", "2")) { _ in }
                return TransactionResult(true, keepsWrites: true, kept: ByteBuffer(string: "kept"))
              })
            if case .answered = outcome { return true } else { return false }
          }
        }
        let firsts = try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        try expectEqual(firsts, 1, "how often it was done")
      }
      try expectEqual(
        try await SessionDriver(repository).page(CollectionPath(unchecked: "/t/")).map(\.text), ["1", "2"])
    },
    Check("random batches, kept or undone, do what they do to the model") { repository in
      let driver = try SessionDriver(repository)
      var writes = RandomWrites(generator: .forTest(named: "random batches"))
      var model = DocumentModel()
      for step in 0..<300 {
        let batch = (0..<Int.random(in: 1...12, using: &writes.generator)).map { _ in writes.writeToPath() }
        let isKept = Bool.random(using: &writes.generator)
        let outcome = try await driver.transact(
          Transaction(.batch, bytes: 100, key: nil) { access in
            var kinds: [String] = []
            for write in batch { access.submit(write) { kinds.append(kind(of: $0)) } }
            return TransactionResult(kinds, keepsWrites: isKept, kept: nil)
          })
        guard case .answered(let kinds) = outcome else { throw Failure(description: "answered \(outcome)") }
        var trial = model
        let expected = batch.map { write in
          kind(of: trial.apply(write, now: Timestamp(milliseconds: Int64(step)), newID: { "" }))
        }
        try expectEqual(kinds, expected, "step \(step): \(batch)")
        if isKept { model = trial }
        guard step % 20 == 19 else { continue }
        for collection in Set(model.allDocuments.map(\.path.collection)) {
          let found = try await driver.page(collection)
          try expectEqual(found.map(\.text), model.documents(in: collection).map(\.text), "step \(step)")
        }
      }
    },
  ]

  /// A batch without a key that answers with texts.
  private static func batch(
    _ body: @escaping @Sendable (any DocumentAccess) -> ([String], keeps: Bool)
  ) -> Transaction<[String]> {
    Transaction(.batch, bytes: 100, key: nil) { access in
      let (texts, keeps) = body(access)
      return TransactionResult(texts, keepsWrites: keeps, kept: nil)
    }
  }

  private static func kind(of result: Result<WriteOutcome, StoreError>) -> String {
    switch result {
    case .success(.created): "created"
    case .success(.replaced): "replaced"
    case .success(.deleted): "deleted"
    case .success(.notFound): "not found"
    case .success(.conditionFailed): "condition failed"
    case .failure(let error): "\(error)"
    }
  }
}

extension Document {
  fileprivate var text: String { String(buffer: data) }
}

extension SessionDriver {
  /// What a transaction without a key answers.
  fileprivate func texts(_ transaction: Transaction<[String]>) async throws -> [String] {
    let outcome = try await transact(transaction)
    guard case .answered(let texts) = outcome else {
      throw RepositoryConformance.Failure(description: "answered \(outcome)")
    }
    return texts
  }
}
