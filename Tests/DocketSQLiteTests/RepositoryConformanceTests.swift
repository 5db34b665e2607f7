import DocketStore
import DocketTestSupport
import Testing

@testable import DocketSQLite

@Suite("The repository on SQLite")
struct RepositoryConformanceTests {
  @Test("keeps the contract of a repository", arguments: RepositoryConformance.checks)
  func conforms(check: RepositoryConformance.Check) async throws {
    let store = try StoreFixture(clock: nil)
    try await check.run(store.repository)
    try store.checkIntegrity(but: [.answer])
  }

  @Test("answers queries the same when collections have indexes", arguments: RepositoryConformance.queryChecks)
  func conformsWithIndexes(check: RepositoryConformance.Check) async throws {
    let store = try StoreFixture(clock: nil)
    let session = try store.session()
    let names = [["a"], ["-b", "a"], ["n.x", "-a"], ["a", "b", "-e"], ["d"]]
    let settings = CollectionSettings(
      indexes: names.map { CollectionIndex($0.map(CollectionIndex.Key.init(name:))) })
    for collection in ["/q/", "/q0/", "/q/1/"] {
      _ = try await session.change(CollectionPath(unchecked: collection), to: settings)
    }
    await session.close()
    try await check.run(store.repository)
    try store.checkIntegrity()
  }

  @Test(
    "tells changes the same however few it looks at together, and however far it looks ahead",
    arguments: RepositoryConformance.changeChecks, [(1, 0), (2, 1), (3, 7), (7, 40), (40, 3)])
  func conformsInSmallWindows(check: RepositoryConformance.Check, sizes: (window: Int, ahead: Int)) async throws {
    var options = SQLiteStoreOptions()
    options.changeLimits = ChangeLogReader.Limits(
      firstWindow: 1, window: sizes.window, windowScanned: 2 * sizes.window, windowBytes: 60,
      aheadAtFirst: sizes.ahead / 2, aheadForEach: sizes.ahead / 8 + 1, ahead: sizes.ahead)
    let store = try StoreFixture(options: options, clock: nil)
    try await check.run(store.repository)
    try store.checkIntegrity()
  }
}
