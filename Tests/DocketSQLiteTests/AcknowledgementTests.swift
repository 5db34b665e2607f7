import DocketStore
import DocketTestSupport
import Foundation
import NIOConcurrencyHelpers
import Testing

@testable import DocketSQLite

@Suite("What is told, and the sync of the log")
struct AcknowledgementTests {
  /// The writer tidies up when it was idle for long, which may sync as well; on a slow machine a test could meet that.
  private static let options = {
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 3_600_000
    return options
  }()

  /// A log whose syncs a test lets go on, one by one.
  private final class Gate: Sendable {
    private let begun = DispatchSemaphore(value: 0)
    private let permits = DispatchSemaphore(value: 0)
    private let failure = NIOLockedValueBox<String?>(nil)
    private let isOpen = NIOLockedValueBox(false)

    func sync() -> String? {
      begun.signal()
      if !isOpen.withLockedValue({ $0 }) { permits.wait() }
      return failure.withLockedValue { $0 }
    }

    /// Returns when a sync waits.
    func waitForSync() async {
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async { [self] in
          begun.wait()
          continuation.resume()
        }
      }
    }

    /// Lets the sync that waits go on, and all later ones.
    func open(failing reason: String? = nil) {
      failure.withLockedValue { $0 = reason }
      isOpen.withLockedValue { $0 = true }
      permits.signal()
    }
  }

  @Test("Neither a write nor a read, scan or account that shows it is told before the sync")
  func nothingBefore() async throws {
    let gate = Gate()
    let store = try StoreFixture(options: Self.options, syncLog: { gate.sync() })
    let (writer, reader) = (try store.session(), try store.session())
    let told = NIOLockedValueBox<[String]>([])
    @Sendable func tell(_ what: String) { told.withLockedValue { $0.append(what) } }
    let path = DocumentPath("/a/", "1")

    async let written: Void = {
      _ = try await writer.write(.put(path, data: .init(string: "1")))
      tell("write")
    }()
    await gate.waitForSync()
    // Another session sees it in the log, and is told that it must not say so yet.
    let isDurable = NIOLockedValueBox<[Bool]>([])
    reader.tick { session in
      session.document(at: path) { result in
        if (try? result.get())??.data == .init(string: "1") { tell("seen") }
      }
    }
    reader.outsideTick { session in
      let already = session.readsAreDurable { durable in isDurable.withLockedValue { $0.append(durable) } }
      if already { tell("read") }
    }
    async let scanned: Void = {
      _ = try await reader.page(path.collection)
      tell("scan")
    }()
    async let account: Void = {
      _ = try await reader.status()
      tell("account")
    }()
    await reader.drain()
    try await Task.sleep(for: .milliseconds(50))
    #expect(told.withLockedValue { $0 } == ["seen"])
    #expect(isDurable.withLockedValue { $0 } == [])
    gate.open()
    _ = try await (written, scanned, account)
    #expect(told.withLockedValue { Set($0) } == ["seen", "write", "scan", "account"])
    try await eventually { isDurable.withLockedValue { $0 } == [true] }
    await reader.close()
    await writer.close()
    try store.closeAndCheck()
  }

  @Test("While one group is synced the next is carried out, and answers keep the order of the writes")
  func overlap() async throws {
    let gate = Gate()
    let store = try StoreFixture(options: Self.options, syncLog: { gate.sync() })
    let session = try store.session()
    let outside = try store.connect()
    let order = NIOLockedValueBox<[Int]>([])
    func write(_ number: Int) {
      session.tick { session in
        session.submit(.put("/a/", "\(number)", "\(number)")) { result in
          if (try? result.get()) != nil { order.withLockedValue { $0.append(number) } }
        }
        // Two, so that the writer does not sync by itself.
        session.submit(.put("/b/", "\(number)", "\(number)")) { _ in }
      }
    }
    write(1)
    await gate.waitForSync()
    write(2)
    try await eventually { try outside.int64("SELECT count(*) FROM documents WHERE id = '2'") == 2 }
    #expect(order.withLockedValue { $0 } == [])
    for number in 3...50 { write(number) }
    gate.open()
    try await eventually { order.withLockedValue { $0.count } == 50 }
    #expect(order.withLockedValue { $0 } == Array(1...50))
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A sync that fails confirms nothing, to nobody, and nothing is written any more")
  func failure() async throws {
    let gate = Gate()
    let store = try StoreFixture(options: Self.options, syncLog: { gate.sync() })
    let (writer, reader) = (try store.session(), try store.session())
    async let answers = writer.writeAll([.put("/a/", "1", "1"), .put("/a/", "2", "2")])
    await gate.waitForSync()
    let isDurable = NIOLockedValueBox<[Bool]>([])
    reader.tick { session in session.document(at: DocumentPath("/a/", "1")) { _ in } }
    reader.outsideTick { session in
      if session.readsAreDurable(otherwise: { durable in isDurable.withLockedValue { $0.append(durable) } }) {
        isDurable.withLockedValue { $0.append(true) }
      }
    }
    async let scan = reader.page(CollectionPath(unchecked: "/a/"))
    await reader.drain()
    gate.open(failing: "the disk is broken")
    let unknown = StoreError.outcomeUnknown(reason: "the disk is broken")
    let told = try await answers
    #expect(told == [.failure(unknown), .failure(unknown)])
    do {
      _ = try await scan
      Issue.record("the scan shows what is not certain")
    } catch let error as StoreError {
      #expect(error == unknown)
    }
    try await eventually { isDurable.withLockedValue { $0 } == [false] }
    await #expect(throws: unknown) { try await writer.write(.put("/a/", "3", "3")) }
    #expect(try await store.repository.waitForFailure() == unknown)
    // Reads of what was there before go on being told; of what is not certain nothing is.
    reader.tick { session in session.document(at: DocumentPath("/a/", "1")) { _ in } }
    reader.outsideTick { session in
      _ = session.readsAreDurable { durable in isDurable.withLockedValue { $0.append(durable) } }
    }
    try await eventually { isDurable.withLockedValue { $0 } == [false, false] }
    await reader.close()
    await writer.close()
    store.repository.close()
    #expect(try store.connect().int64("SELECT count(*) FROM documents WHERE id = '3'") == 0)
  }

  @Test("A log that was replaced is noticed by its sync")
  func replaced() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("log")
    try Data("a".utf8).write(to: URL(fileURLWithPath: path))
    let log = try LogFile(path: path)
    #expect(log.sync() == nil)
    try FileManager.default.moveItem(atPath: path, toPath: path + "-old")
    #expect(log.sync()?.contains("was moved, replaced or removed") == true)
    try Data("b".utf8).write(to: URL(fileURLWithPath: path))
    #expect(log.sync()?.contains("was moved, replaced or removed") == true)
  }
}
