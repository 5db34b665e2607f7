import DocketStore
import NIOCore

extension RepositoryConformance {
  static let pastChecks: [Check] = [
    Check("each state of a document can be read as of every revision at which it was so") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/p/", "1")
      let one = try await driver.write(.put("/p/", "1", "1")).revision ?? Revision(0)
      let other = try await driver.write(.put("/p/", "other", "0")).revision ?? Revision(0)
      let two = try await driver.write(.put("/p/", "1", "[2]")).revision ?? Revision(0)
      let gone = try await driver.write(.delete("/p/", "1")).revision ?? Revision(0)
      let back = try await driver.write(.put("/p/", "1", "3")).revision ?? Revision(0)
      var found: [String?] = []
      for revision in 0...back.rawValue {
        let document = try await driver.document(at: path, asOf: PastMoment(revision: Revision(revision)))
        found.append(document.map { "\($0.revision):\(String(buffer: $0.data))" })
      }
      try expectEqual(found, [nil, "\(one):1", "\(one):1", "\(two):[2]", nil, "\(back):3"])
      let present = try await driver.document(at: path)
      try expectEqual(try await driver.document(at: path, asOf: PastMoment(revision: back)), present)
      let versions = try await driver.versions(of: path) ?? []
      try expectEqual(versions.map(\.revision), [back, gone, two, one])
      try expectEqual(versions.map(\.kind), [.created, .deleted, .updated, .created])
      try expectEqual(versions.map(\.bytes), [1, nil, 3, 1])
      try expectEqual(try await driver.versions(of: path, before: gone)?.map(\.revision), [two, one])
      try expectEqual(try await driver.versions(of: path, before: one)?.count, 0)
      // Of another document.
      try expectEqual(try await driver.versions(of: path, before: other)?.count, 0)
      try expectEqual(try await driver.versions(of: DocumentPath("/p/", "other"), before: back)?.count, 0)
      try expect(try await driver.versions(of: DocumentPath("/p/", "never")) == nil, "versions of nothing")
    },
    Check("a moment that has not come is refused with the newest revision") { repository in
      let driver = try SessionDriver(repository)
      let newest = try await driver.write(.put("/p/", "1", "1")).revision ?? Revision(0)
      let moment = PastMoment(revision: Revision(newest.rawValue + 1))
      for read in [
        { _ = try await driver.document(at: DocumentPath("/p/", "1"), asOf: moment) },
        { _ = try await driver.page(CollectionPath(unchecked: "/p/"), asOf: moment) },
        { _ = try await driver.revision(at: Timestamp(milliseconds: .max / 2)) },
      ] as [() async throws -> Void] {
        do {
          try await read()
          throw Failure(description: "a moment that has not come was read")
        } catch let error as StoreError {
          try expectEqual(error, .ahead(newest: newest))
        }
      }
    },
    Check("times name the newest revision that was there by then") { repository in
      let driver = try SessionDriver(repository)
      var revisions: [Revision] = []
      for number in 0..<20 {
        revisions.append(try await driver.write(.put("/p/", "1", "\(number)")).revision ?? Revision(0))
      }
      let versions = try await driver.versions(of: DocumentPath("/p/", "1")) ?? []
      for version in versions {
        // Several may be of one millisecond.
        let newest = versions.first { $0.time <= version.time }?.revision
        try expectEqual(try await driver.revision(at: version.time), newest)
      }
      let before = (versions.last?.time.milliseconds ?? 0) - 1
      try expectEqual(try await driver.revision(at: Timestamp(milliseconds: before)), Revision(0))
      try expectEqual(versions.map(\.revision), revisions.reversed())
    },
    Check("a time hides what had expired by then, a revision does not") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/p/", "1")
      let outcome = try await driver.write(Write.put("/p/", "1", "1").on(WriteTerms(lifetime: .milliseconds(20))))
      let revision = outcome.revision ?? Revision(0)
      let end = try await driver.document(at: path, asOf: PastMoment(revision: revision))?.expires
      guard let end else { throw Failure(description: "the document has no end") }
      while try await driver.document(at: path) != nil {}
      let before = PastMoment(revision: revision, time: Timestamp(milliseconds: end.milliseconds - 1))
      let after = PastMoment(revision: revision, time: end)
      try expect(try await driver.document(at: path, asOf: PastMoment(revision: revision)) != nil, "hidden")
      try expect(try await driver.document(at: path, asOf: before) != nil, "hidden before its end")
      try expect(try await driver.document(at: path, asOf: after) == nil, "shown after its end")
      try expectEqual(try await driver.page(path.collection, asOf: before).count, 1)
      try expectEqual(try await driver.page(path.collection, asOf: after).count, 0)
    },
    Check("every revision of random writes can be read again, documents, collections and versions") { repository in
      let driver = try SessionDriver(repository)
      var writes = RandomWrites(generator: .forTest(named: "the past"))
      var model = DocumentModel()
      for _ in 0..<400 {
        let write = writes.writeToPath()
        let result = try await driver.writeAll([write])[0]
        let now = Timestamp(milliseconds: Int64(model.changes.count))
        let expected = model.apply(write, now: now, newID: { "" })
        try expectEqual(try? result.get().revision, try? expected.get().revision, "\(write)")
      }
      for revision in 0...model.revision.rawValue where revision % 7 == 0 {
        let moment = PastMoment(revision: Revision(revision))
        let path = writes.path(created: [])
        let found = try await driver.document(at: path, asOf: moment)
        let expected = model.document(at: path, asOf: moment.revision)
        try expectEqual(found?.data, expected?.data, "\(path) as of \(revision)")
        try expectEqual(found?.revision, expected?.revision, "\(path) as of \(revision)")
        let collection = writes.collection()
        let page = try await driver.page(collection, asOf: moment)
        let documents = model.documents(in: collection, asOf: moment.revision)
        try expectEqual(page.map(\.path), documents.map(\.path), "\(collection) as of \(revision)")
        try expectEqual(page.map(\.data), documents.map(\.data), "\(collection) as of \(revision)")
        try expectEqual(page.map(\.revision), documents.map(\.revision), "\(collection) as of \(revision)")
        if let middle = page.dropFirst(page.count / 2).first?.path.id {
          let rest = try await driver.page(collection, after: middle, asOf: moment)
          try expectEqual(rest.map(\.path), page.suffix(rest.count).map(\.path), "behind \(middle)")
          try expectEqual(rest.count, page.count - page.count / 2 - 1, "behind \(middle)")
        }
        let versions = try await driver.versions(of: path)
        let told = model.versions(of: path)
        try expectEqual(versions?.map(\.revision) ?? [], told.map(\.revision), "versions of \(path)")
        try expectEqual(versions?.map(\.kind) ?? [], told.map(\.kind), "versions of \(path)")
        try expectEqual(versions?.map(\.bytes) ?? [], told.map(\.bytes), "versions of \(path)")
      }
    },
  ]
}
