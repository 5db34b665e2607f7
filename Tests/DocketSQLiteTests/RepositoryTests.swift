import DocketStore
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Repository on SQLite")
struct RepositoryTests {
  @Test("A document comes back byte for byte, also after a restart")
  func roundTrip() async throws {
    let store = try StoreFixture()
    var session = try store.session()
    let path = DocumentPath("/notes/42")
    let text = #" { "b":1.50,  "a":"\u0000é" } "#
    #expect(try await session.write(.put(path, data: ByteBuffer(text))) == .created(path, Revision(1)))
    #expect(try session.text(path) == text)
    #expect(try await session.write(.put(path, data: ByteBuffer("2"))) == .replaced(path, Revision(2)))
    #expect(try session.text(path) == "2")
    session.close()
    try store.restart()
    session = try store.session()
    let document = try #require(try session.read(path))
    #expect(document.revision == Revision(2))
    #expect(document.data == ByteBuffer("2"))
    #expect(try session.read(DocumentPath("/notes/43")) == nil)
    session.close()
    try store.closeAndCheck()
  }

  @Test("A scan visits a collection's own documents in byte order of their ids, from behind a given id")
  func scan() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let paths = ["/a/z", "/a/É", "/a/A", "/a/b/c", "/aa/x", "/a/e\u{301}"].map { DocumentPath($0) }
    _ = await session.write(paths.map { .put($0, data: ByteBuffer("1")) })
    let ids = try await session.scan("/a/").map(\.path.id)
    #expect(ids.map { Array($0.utf8) } == ["A", "e\u{301}", "z", "É"].map { Array($0.utf8) })
    #expect(try await session.scan("/a/", after: "B").map(\.path.id) == ["e\u{301}", "z", "É"])
    #expect(try await session.scan("/a/", after: "z", limit: 1).map(\.path.id) == ["É"])
    #expect(try await session.scan("/b/").isEmpty)
    let status = try await session.status()
    #expect(status.revision == Revision(6))
    #expect(status.oldestRevision == Revision(0))
    #expect(!status.historyID.isEmpty)
    #expect(status.fileBytes > 0)
    session.close()
    try store.closeAndCheck()
  }
}
