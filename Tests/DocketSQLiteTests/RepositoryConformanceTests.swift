import DocketTestSupport
import Testing

@Suite("The repository on SQLite")
struct RepositoryConformanceTests {
  @Test("keeps the contract of a repository", arguments: RepositoryConformance.checks)
  func conforms(check: RepositoryConformance.Check) async throws {
    let store = try StoreFixture(clock: nil)
    try await check.run(store.repository)
    try store.checkIntegrity()
  }
}
