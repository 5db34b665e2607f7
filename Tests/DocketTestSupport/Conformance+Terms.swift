import DocketStore
import NIOCore

extension RepositoryConformance {
  static let termChecks: [Check] = [
    Check("a write happens only where its condition holds, and is told the revision where it does not") { repository in
      let driver = try SessionDriver(repository)
      let first = try await driver.write(.put("/c/", "1", "1")).revision ?? Revision(0)
      let other = Revision(first.rawValue + 1_000)
      let failing: [(Condition, String, Revision?)] = [
        (.absent, "1", first), (.oneOf([other]), "1", first), (.noneOf([other, first]), "1", first),
        (.exists, "2", nil), (.oneOf([first]), "2", nil), (.oneOf([]), "1", first),
      ]
      for (condition, id, current) in failing {
        for write in [Write.put("/c/", id, "2"), .mergePatch("/c/", id, "{}"), .delete("/c/", id)] {
          let outcome = try await driver.write(write.on(WriteTerms(condition: condition)))
          try expectEqual(outcome, .conditionFailed(current: current), "\(condition) on \(id)")
        }
      }
      let holding: [(Condition, String)] = [
        (.oneOf([other, first]), "1"), (.noneOf([first]), "1"), (.exists, "1"), (.absent, "2"), (.noneOf([first]), "3"),
      ]
      for (condition, id) in holding {
        let outcome = try await driver.write(Write.put("/c/", id, "2").on(WriteTerms(condition: condition)))
        try expect(outcome.revision != nil, "\(condition) on \(id): \(outcome)")
      }
      let missing = try await driver.write(Write.delete("/c/", "4").on(WriteTerms(condition: .absent)))
      try expectEqual(missing, .notFound, "a condition that holds of nothing")
    },
    Check("increments on the condition that nobody came between lose none") { repository in
      let path = DocumentPath("/c/", "sum")
      _ = try await SessionDriver(repository).write(.put("/c/", "sum", "0"))
      let clients = 64
      let increments = 5
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<clients {
          let driver = try SessionDriver(repository)
          group.addTask {
            var done = 0
            while done < increments {
              guard let document = try await driver.document(at: path), let sum = Int(String(buffer: document.data))
              else {
                throw Failure(description: "the sum is gone")
              }
              let terms = WriteTerms(condition: .oneOf([document.revision]))
              let outcome = try await driver.write(Write.put("/c/", "sum", "\(sum + 1)").on(terms))
              if case .replaced = outcome { done += 1 }
            }
          }
        }
        try await group.waitForAll()
      }
      let sum = try await SessionDriver(repository).document(at: path)
      try expectEqual(sum.map { String(buffer: $0.data) }, "\(clients * increments)")
    },
    Check("a dry run tells what a write would do, and changes nothing") { repository in
      let driver = try SessionDriver(repository)
      let first = try await driver.write(.put("/c/", "1", "1")).revision ?? Revision(0)
      let dry = WriteTerms(isDryRun: true)
      let answers = try await driver.writeAll([
        Write.put("/c/", "1", "2").on(dry), Write.put("/c/", "2", "2").on(dry), Write.delete("/c/", "1").on(dry),
        Write.delete("/c/", "2").on(dry), Write.create(in: "/c/", "2").on(dry),
        Write.deleteFirst(in: "/c/", "1").on(dry),
        Write.put("/c/", "1", "2").on(WriteTerms(condition: .absent, isDryRun: true)), .put("/c/", "3", "3"),
      ]).map { try $0.get() }
      switch (answers[0], answers[1], answers[2], answers[4], answers[5], answers[7]) {
      case (.replaced, .created, .deleted, .created, .deleted, .created): break
      default: throw Failure(description: "found \(answers)")
      }
      try expectEqual(answers[3], .notFound)
      try expectEqual(answers[6], .conditionFailed(current: first))
      let page = try await driver.page(CollectionPath(unchecked: "/c/"))
      try expectEqual(page.map(\.path.id), ["1", "3"])
      try expectEqual(page.first?.revision, first)
      try expectEqual(try await driver.status().revision, answers[7].revision, "the counter")
    },
    Check("a document with a lifetime is gone once that is over, and its path begins anew") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/c/", "1")
      _ = try await driver.write(Write.put("/c/", "1", "1").on(WriteTerms(lifetime: .milliseconds(30))))
      while try await driver.document(at: path) != nil {}
      try expectEqual(try await driver.page(path.collection).count, 0, "documents listed")
      try expectEqual(try await driver.write(.mergePatch("/c/", "1", "{}")), .notFound)
      guard case .created = try await driver.write(.put("/c/", "1", "2")) else {
        throw Failure(description: "the path did not begin anew")
      }
    },
  ]
}
