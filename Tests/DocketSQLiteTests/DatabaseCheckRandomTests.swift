import DocketStore
import NIOCore
import Testing

@testable import DocketSQLite
@testable import DocketTestSupport

@Suite("The check of a database that was written in every way")
struct DatabaseCheckRandomTests {
  @Test("finds nothing after writes, batches, the view, expiry, pruning, settings and moments in random order")
  func random() async throws {
    let seed = SeededGenerator.forTest(named: "the check after random writes")
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    options.historyFloorBytes = 20_000
    options.historySharePercent = 30
    let store = try StoreFixture(options: options, clock: nil)
    var writes = RandomWrites(generator: seed)
    let collections = ["/a/", "/b/", "/a/x/", "/A/"].map { CollectionPath(unchecked: $0) }
    for round in 0..<12 {
      let session = try store.session()
      for _ in 0..<10 {
        let group = (0..<20).map { _ in
          writes.write(created: []).on(
            WriteTerms(
              lifetime: writes.element([nil, nil, .milliseconds(1), .milliseconds(20), .forever] as [Lifetime?])))
        }
        _ = try await session.writeAll(group)
        let batch = (0..<4).map { _ in writes.writeToPath() }
        _ = try await session.transact(
          Transaction<Int>(.batch, bytes: 0, key: IdempotencyKey(name: writes.id(), fingerprint: 1)) { documents in
            for write in batch { documents.submit(write) { _ in } }
            return TransactionResult(0, keepsWrites: true, kept: ByteBuffer(string: "[]"))
          })
      }
      let key = CollectionIndex([CollectionIndex.Key(name: "a")])
      let settings = writes.element(
        [
          nil, CollectionSettings(indexes: [key]), CollectionSettings(text: [CollectionIndex.Key(name: "a").path]),
          CollectionSettings(lifetimeSeconds: 1),
        ] as [CollectionSettings?])
      _ = try await session.change(writes.element(collections), to: settings)
      await session.close()
      let door = try store.connect()
      try? door.execute("UPDATE documents SET data = '{\"a\": \"words\"}' WHERE id IN ('1', 'z')")
      try? door.execute("DELETE FROM documents WHERE id = '10'")
      try? door.execute("UPDATE documents SET id = 'moved' WHERE collection = '/a/' AND id = '2'")
      door.close()
      store.repository.close()
      try store.checkIntegrity()
      let report = try DatabaseCheck.run(path: store.path)
      if round % 3 == 2, let oldest = report.oldestChange, let newest = report.newestChange {
        let moment = Int64.random(in: (oldest - 1)...newest, using: &writes.generator)
        _ = try DatabaseRestore.toMoment(.revision(moment), database: store.path)
        try store.checkIntegrity()
      }
      if round % 4 == 3 { _ = try DatabaseCompaction.run(path: store.path) }
      try store.restart()
    }
    try store.closeAndCheck()
  }

  @Test("a moment has the documents that it had, whatever was written since")
  func moments() async throws {
    let seed = SeededGenerator.forTest(named: "moments after random writes")
    let store = try StoreFixture(clock: nil)
    var writes = RandomWrites(generator: seed)
    let session = try store.session()
    var states: [(revision: Int64, documents: String?)] = []
    let door = try store.connect()
    let all =
      "SELECT group_concat(collection || id || ' ' || data, char(10)) FROM (SELECT * FROM documents ORDER BY collection, id)"
    for _ in 0..<30 {
      _ = try await session.writeAll((0..<10).map { _ in writes.writeToPath() })
      states.append((try door.int64("SELECT max(sequence) FROM changes") ?? 0, try door.string(all)))
    }
    door.close()
    await session.close()
    store.repository.close()
    for _ in 0..<8 {
      let state = writes.element(states)
      let counted = try DatabaseRestore.toMoment(.revision(state.revision), database: store.path, isDryRun: true)
      #expect(try DatabaseRestore.toMoment(.revision(state.revision), database: store.path) == counted)
      let connection = try store.connect()
      #expect(try connection.string(all) == state.documents, "revision \(state.revision)")
      connection.close()
      try store.checkIntegrity()
    }
  }
}
