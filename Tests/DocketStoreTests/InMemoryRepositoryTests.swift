import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@Suite("The in-memory repository")
struct InMemoryRepositoryTests {
  @Test("keeps the contract of a repository", arguments: RepositoryConformance.checks)
  func conforms(check: RepositoryConformance.Check) async throws {
    try await check.run(InMemoryRepository())
  }

  @Test("dates no change before the one that it follows, when the clock goes back")
  func timeNeverFalls() async throws {
    let now = Clock(1_000)
    let repository = InMemoryRepository(clock: { now.time })
    let driver = try SessionDriver(repository)
    let first = try await driver.write(.create(in: "/t/", "1"))
    now.milliseconds = 400
    let second = try await driver.write(.create(in: "/t/", "2"))
    now.milliseconds = 1_200
    _ = try await driver.write(.create(in: "/t/", "3"))
    #expect(repository.changes.map(\.at.milliseconds) == [1_000, 1_000, 1_200])
    #expect(try #require(first.path).id < #require(second.path).id)
  }

  @Test("keeps what a document was before each change, and which change came before")
  func changes() async throws {
    let repository = InMemoryRepository(clock: { Timestamp(milliseconds: 7) })
    let driver = try SessionDriver(repository)
    _ = try await driver.writeAll([
      .put("/h/", "1", "1"), .put("/h/", "2", "2"), .put("/h/", "1", "3"), .delete("/h/", "1"), .put("/h/", "1", "4"),
    ])
    let changes = repository.changes
    #expect(changes.map(\.sequence.rawValue) == [1, 2, 3, 4, 5])
    #expect(changes.map { $0.previous?.rawValue } == [nil, nil, 1, 3, 4])
    #expect(changes.map(\.kind) == [.created, .created, .updated, .deleted, .created])
    #expect(changes.map { $0.before.map { String(buffer: $0.data) } } == [nil, nil, "1", "3", nil])
    #expect(changes.map { $0.before?.revision.rawValue } == [nil, nil, 1, 3, nil])
  }

  @Test("refuses writes when it is told to, and takes them again")
  func refusal() async throws {
    let repository = InMemoryRepository()
    let driver = try SessionDriver(repository)
    repository.refuseWrites(with: .full)
    #expect(try await driver.writeAll([.put("/r/", "1", "1")]) == [.failure(.full)])
    #expect(try await driver.document(at: DocumentPath("/r/", "1")) == nil)
    repository.refuseWrites(with: nil)
    #expect(try await driver.write(.put("/r/", "1", "1")).revision == Revision(1))
  }
}
