import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Repository on SQLite")
struct RepositoryTests {
  @Test("Documents, revisions and the history's name survive a restart, and a closed file stands alone")
  func restart() async throws {
    let store = try StoreFixture()
    var session = try store.session()
    #expect(try await session.put("/notes/", "42", #" { "a":1.50 } "#) == Revision(1))
    let before = try await session.status()
    await session.close()
    try store.restart()
    session = try store.session()
    #expect(try await session.text("/notes/", "42") == #" { "a":1.50 } "#)
    let after = try await session.status()
    #expect(after.revision == Revision(1))
    #expect(after.historyID == before.historyID)
    #expect(after.oldestRevision == Revision(0))
    #expect(after.databaseBytes > 0 && after.freeBytes > 0)
    #expect(try await session.put("/notes/", "42", "2") == Revision(2))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A second store on the same file is refused")
  func secondStore() throws {
    let store = try StoreFixture()
    #expect(throws: OpeningError.self) { try StoreFixture.open(store.path, store.options, store.clock) }
    try store.closeAndCheck()
  }

  @Test(
    "What is stored but cannot be served is said to be invalid, by reads, scans and patches", arguments: ["x", "a\0b"])
  func invalidDocument(text: String) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.put("/notes/", "1", "1")
    let outside = try store.connect()
    let update = try outside.prepare("UPDATE document_rows SET data = ?1")
    update.bind(text, at: 1)
    try update.run()
    let path = DocumentPath("/notes/", "1")
    func isInvalid(_ error: any Error) -> Bool {
      if case .invalidDocument(path, _)? = error as? StoreError { true } else { false }
    }
    await #expect(performing: { try await session.document(at: path) }, throws: isInvalid)
    await #expect(performing: { try await session.page(path.collection) }, throws: isInvalid)
    await #expect(performing: { try await session.write(.mergePatch("/notes/", "1", "{}")) }, throws: isInvalid)
    // It can be mended.
    #expect(try await session.put("/notes/", "1", "2") == Revision(2))
    #expect(try await session.text("/notes/", "1") == "2")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What another process writes through the view is there in the next tick, with a revision")
  func foreignWrites() async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    _ = try await session.put("/notes/", "1", "1")
    let outside = try store.connect()
    try outside.execute("INSERT INTO documents(collection, id, data) VALUES ('/notes/', '2', '[2]')")
    try outside.execute("UPDATE documents SET data = '[1]' WHERE id = '1'")
    #expect(try await session.text("/notes/", "2") == "[2]")
    #expect(try await session.document(at: DocumentPath("/notes/", "1"))?.revision == Revision(3))
    #expect(try await session.put("/notes/", "2", "3") == Revision(4))
    #expect(try outside.int64("SELECT previous FROM changes WHERE sequence = 4") == 2)
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }
}
