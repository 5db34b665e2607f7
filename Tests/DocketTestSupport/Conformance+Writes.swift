import DocketStore
import NIOCore

extension RepositoryConformance {
  static let writeChecks: [Check] = [
    Check("a put creates a document and then replaces it") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/notes/", "1")
      guard case .created(path, let first) = try await driver.write(.put("/notes/", "1", "{}")) else {
        throw Failure(description: "the first put did not create")
      }
      let created = try await driver.document(at: path)
      guard case .replaced(path, let second) = try await driver.write(.put("/notes/", "1", "[1]")) else {
        throw Failure(description: "the second put did not replace")
      }
      let replaced = try await driver.document(at: path)
      try expect(first < second, "the revision did not rise")
      try expectEqual(created?.revision, first)
      try expectEqual(created?.created, created?.updated, "times of a new document")
      try expectEqual(replaced?.revision, second)
      try expectEqual(replaced?.data, ByteBuffer(string: "[1]"))
      try expectEqual(replaced?.created, created?.created, "time of creation after a put")
      try expect(replaced.map { $0.created <= $0.updated } ?? false, "updated before it was created")
    },
    Check("a put of the same bytes is a write like any other") { repository in
      let driver = try SessionDriver(repository)
      let first = try await driver.write(.put("/notes/", "1", "{}"))
      let second = try await driver.write(.put("/notes/", "1", "{}"))
      try expect(first.revision ?? Revision(0) < second.revision ?? Revision(0), "the revision did not rise")
    },
    Check("a deleted document is gone, and can be created anew") { repository in
      let driver = try SessionDriver(repository)
      let path = DocumentPath("/notes/", "1")
      let put = try await driver.write(.put("/notes/", "1", "1"))
      guard case .deleted(path, let deleted) = try await driver.write(.delete(path)) else {
        throw Failure(description: "the delete did not delete")
      }
      try expect(put.revision ?? deleted < deleted, "the revision did not rise")
      try expectEqual(try await driver.document(at: path), nil)
      try expectEqual(try await driver.page(path.collection).count, 0)
      try expectEqual(try await driver.write(.delete(path)), .notFound)
      guard case .created(path, let again) = try await driver.write(.put("/notes/", "1", "2")) else {
        throw Failure(description: "a put after the delete did not create")
      }
      try expect(deleted < again, "the revision did not rise")
      try expectEqual(try await driver.document(at: path)?.revision, again)
    },
    Check("what is not there is not found, and nothing changes") { repository in
      let driver = try SessionDriver(repository)
      let before = try await driver.write(.put("/notes/", "1", "1"))
      let misses: [Write] = [
        .delete("/notes/", "2"), .delete("/other/", "1"), .delete("/notes/1/", "1"),
        .mergePatch("/notes/", "2", "{}"), .deleteFirst(in: "/notes/", "2"), .deleteFirst(in: "/other/", "1"),
        .replaceFirst(in: "/notes/", "2", with: "3"), .replaceFirst(in: "/other/", "1", with: "3"),
      ]
      for result in try await driver.writeAll(misses) { try expectEqual(result, .success(.notFound)) }
      try expectEqual(try await driver.document(at: DocumentPath("/notes/", "2")), nil)
      try expectEqual(try await driver.document(at: DocumentPath("/other/", "1")), nil)
      try expectEqual(try await driver.status().revision, before.revision)
    },
    Check("create makes UUIDv7 ids, each greater than the one before") { repository in
      let driver = try SessionDriver(repository)
      var ids: [String] = []
      for batch in 1...8 {
        let writes = (1...50).map { Write.create(in: "/item/", "\(batch * 1000 + $0)") }
        for result in try await driver.writeAll(writes) {
          guard case .created(let path, _) = try result.get() else {
            throw Failure(description: "create answered \(result)")
          }
          try expectEqual(path.collection.description, "/item/")
          ids.append(path.id)
        }
      }
      for id in ids { try expect(isUUIDv7(id), "\(id) is no UUIDv7 in lower case") }
      for (a, b) in zip(ids, ids.dropFirst()) {
        try expect(a.utf8.lexicographicallyPrecedes(b.utf8), "\(b) came after \(a)")
      }
      let expected = (1...8).flatMap { batch in (1...50).map { ByteBuffer(string: "\(batch * 1000 + $0)") } }
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/item/")).map(\.data), expected)
    },
    Check("revisions rise strictly over all kinds of writes and all collections") { repository in
      let drivers = [try SessionDriver(repository), try SessionDriver(repository)]
      let rounds: [[Write]] = [
        [.create(in: "/a/", "1"), .put("/b/", "x", "{\"n\":1}"), .create(in: "/a/", "2")],
        [.mergePatch("/b/", "x", "{\"n\":2}"), .put("/c/", "x", "0")],
        [.replaceFirst(in: "/a/", "1", with: "3"), .deleteFirst(in: "/a/", "2"), .delete("/b/", "x")],
        [.put("/b/", "x", "9"), .delete("/nowhere/", "x"), .put("/b/", "x", "8")],
      ]
      var newest = try await drivers[0].status().revision
      try expectEqual(newest, Revision(0), "revision of an empty store")
      for (round, writes) in rounds.enumerated() {
        for result in try await drivers[round % 2].writeAll(writes) {
          guard let revision = try result.get().revision else { continue }
          try expect(newest < revision, "\(revision) came after \(newest)")
          newest = revision
        }
        try expectEqual(try await drivers[0].status().revision, newest)
      }
    },
    Check("time never runs backwards from one revision to the next") { repository in
      let driver = try SessionDriver(repository)
      for n in 1...40 { _ = try await driver.write(.put("/t/", "\(n % 7)", "\(n)")) }
      let documents = try await driver.page(CollectionPath(unchecked: "/t/")).sorted { $0.revision < $1.revision }
      for (a, b) in zip(documents, documents.dropFirst()) {
        try expect(a.updated <= b.updated, "\(b.revision) is dated before \(a.revision)")
        try expect(b.created <= b.updated, "updated before it was created")
      }
    },
  ]

  /// Whether this is a UUIDv7 as RFC 9562 writes it.
  private static func isUUIDv7(_ id: String) -> Bool {
    let groups = id.split(separator: "-", omittingEmptySubsequences: false)
    return groups.map(\.count) == [8, 4, 4, 4, 12]
      && groups.joined().allSatisfy { "0123456789abcdef".contains($0) }
      && groups[2].first == "7" && groups[3].first.map { "89ab".contains($0) } == true
  }
}
