import DocketJSON
import DocketStore
import DocketTestSupport
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("Writer")
struct WriterTests {
  @Test("A write is in the file before it is acknowledged")
  func answersAfterCommit() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let seen = NIOLockedValueBox<[Int64?]>([])
    for n in 1...20 {
      await withCheckedContinuation { continuation in
        session.tick { session in
          session.submit(.put("/notes/", "\(n)", "\(n)")) { _ in
            let count = try? store.connect().int64("SELECT count(*) FROM document_rows WHERE id = '\(n)'")
            seen.withLockedValue { $0.append(count) }
            continuation.resume()
          }
        }
      }
    }
    #expect(seen.withLockedValue { $0 } == Array(repeating: 1, count: 20))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A group that is larger than its bounds is committed in several, in order")
  func groupBounds() async throws {
    var options = SQLiteStoreOptions()
    options.groupWrites = 7
    options.groupBytes = 2_000
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let answers = try await session.writeAll((1...100).map { .put("/notes/", "\($0 % 9)", "\($0)") })
    #expect(try answers.map { try $0.get().revision } == (1...100).map { Revision($0) })
    #expect(try await session.text("/notes/", "1") == "100")
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A group ends behind a batch whose answer is large; what is left of it follows in its order")
  func batchesEndGroups() async throws {
    var options = SQLiteStoreOptions()
    options.groupBytes = 1_000
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.put("/n/", "list", "[]")
    let told = NIOLockedValueBox<[Int]>([])
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      @Sendable func tell(_ number: Int) {
        let count = told.withLockedValue { told in
          told.append(number)
          return told.count
        }
        if count == 200 { continuation.resume() }
      }
      session.tick { session in
        for number in 0..<200 {
          guard let patch = try? JSONPatch(ByteBuffer(string: #"[{"op":"add","path":"/-","value":\#(number)}]"#)) else {
            return
          }
          let write = Write.jsonPatch(DocumentPath("/n/", "list"), patch)
          guard number % 3 == 0 else {
            session.submit(write) { _ in tell(number) }
            continue
          }
          session.transact(
            Transaction(.batch, bytes: 1, key: nil) { access in
              access.submit(write) { _ in }
              return TransactionResult(0, answerBytes: number % 2 * 2_000, keepsWrites: true, kept: nil)
            }
          ) { _ in tell(number) }
        }
      }
    }
    #expect(told.withLockedValue { $0 } == Array(0..<200))
    #expect(try await session.text("/n/", "list") == "[" + (0..<200).map { "\($0)" }.joined(separator: ",") + "]")
    await session.close()
    try store.closeAndCheck()
  }

  /// The second kind undoes the whole transaction.
  @Test(
    "A trigger of the operator's refuses the writes it is about, alone and in batches, and no others",
    arguments: ["ABORT", "ROLLBACK"])
  func triggers(raised: String) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.put("/n/", "1", "1")
    let outside = try store.connect()
    try outside.execute(
      """
      CREATE TRIGGER mine BEFORE INSERT ON document_rows WHEN new.collection = '/forbidden/'
      BEGIN SELECT raise(\(raised), 'not here'); END
      """)
    let answers = try await session.writeAll([
      .put("/n/", "2", "2"), .put("/forbidden/", "1", "1"), .put("/n/", "1", "3"), .create(in: "/forbidden/", "1"),
      Write.put("/forbidden/", "1", "1").on(WriteTerms(isDryRun: true)), .put("/n/", "3", "3"),
    ])
    for refused in [1, 3, 4] { #expect(answers[refused] == .failure(.refused(reason: "not here"))) }
    for done in [0, 2, 5] { #expect(throws: Never.self) { try answers[done].get() } }
    let batch = Transaction(.batch, bytes: 1, key: nil) { access in
      var reasons: [String] = []
      access.submit(.put("/n/", "4", "4")) { _ in }
      access.submit(.put("/forbidden/", "1", "1")) { reasons.append("\($0)") }
      return TransactionResult(reasons, keepsWrites: reasons.isEmpty, kept: nil)
    }
    if raised == "ROLLBACK" {
      await #expect(throws: StoreError.refused(reason: "not here")) { _ = try await session.transact(batch) }
    } else {
      guard case .answered(let reasons) = try await session.transact(batch) else { throw StoreError.closed }
      #expect(reasons.count == 1 && reasons[0].contains("not here"))
    }
    let page = try await session.page(CollectionPath(unchecked: "/n/"))
    #expect(page.map { String(buffer: $0.data) } == ["3", "2", "3"])
    try outside.execute("DROP TRIGGER mine")
    #expect(try await session.put("/forbidden/", "1", "1") == Revision(5))
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What a trigger refuses of the keeping of answers, or passes over in silence, is refused, and nothing else")
  func otherTriggers() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll([.put("/kept/", "1", "1"), .put("/n/", "1", "1")])
    let outside = try store.connect()
    try outside.execute(
      """
      CREATE TRIGGER keys BEFORE INSERT ON kept_answers WHEN new.key = 'bad' BEGIN SELECT raise(ABORT, 'no such key'); END;
      CREATE TRIGGER entries BEFORE INSERT ON document_rows WHEN new.collection = '/none/' BEGIN SELECT raise(IGNORE); END;
      CREATE TRIGGER changes BEFORE UPDATE ON document_rows WHEN old.collection = '/kept/' BEGIN SELECT raise(IGNORE); END;
      CREATE TRIGGER exits BEFORE DELETE ON document_rows WHEN old.collection = '/kept/' BEGIN SELECT raise(IGNORE); END
      """)
    let ignored = Result<WriteOutcome, StoreError>.failure(.refused(reason: "a trigger says RAISE(IGNORE)"))
    let answers = try await session.writeAll([
      .put("/n/", "1", "2"), .put("/none/", "1", "1"), .put("/kept/", "1", "2"), .delete("/kept/", "1"),
      .put("/n/", "2", "2"),
    ])
    #expect(answers[1...3].allSatisfy { $0 == ignored })
    for done in [0, 4] { #expect(throws: Never.self) { try answers[done].get() } }
    let keyed = Task {
      try await session.transact(
        Transaction(.single, bytes: 1, key: IdempotencyKey(name: "bad", fingerprint: 1)) { access in
          access.submit(.put("/n/", "3", "3")) { _ in }
          return TransactionResult(0, keepsWrites: true, kept: ByteBuffer(string: "x"))
        })
    }
    let neighbours = try await session.writeAll((4...9).map { .put("/n/", "\($0)", "1") })
    for answer in neighbours { #expect(throws: Never.self) { try answer.get() } }
    await #expect(throws: StoreError.refused(reason: "no such key")) { _ = try await keyed.value }
    let page = try await session.page(CollectionPath(unchecked: "/n/"))
    #expect(page.map(\.path.id) == ["1", "2"] + (4...9).map(String.init))
    #expect(try await session.text("/kept/", "1") == "1")
    for trigger in ["keys", "entries", "changes", "exits"] { try outside.execute("DROP TRIGGER \(trigger)") }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What a trigger or an index of the operator's cannot do with a document is refused, and the server goes on")
  func failingTriggers() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let outside = try store.connect()
    try outside.execute(
      """
      CREATE TABLE tags(tag);
      CREATE TRIGGER entries AFTER INSERT ON document_rows WHEN new.collection = '/tags/'
      BEGIN INSERT INTO tags SELECT value FROM json_each(new.data ->> '$.tags'); END;
      CREATE TRIGGER exits AFTER DELETE ON document_rows WHEN old.collection = '/tags/'
      BEGIN INSERT INTO tags SELECT value FROM json_each(old.data ->> '$.other'); END;
      CREATE INDEX numbers ON document_rows(abs(data ->> '$.n')) WHERE collection = '/n/'
      """)
    let brief = WriteTerms(lifetime: .milliseconds(1_000))
    let answers = try await session.writeAll([
      .put("/n/", "1", #"{"n": 1}"#), .put("/tags/", "1", #"{"tags": "a"}"#),
      .put("/n/", "2", #"{"n": -9223372036854775808}"#),
      Write.put("/tags/", "2", #"{"tags": "[1]", "other": "a"}"#).on(brief), Write.put("/n/", "3", "{}").on(brief),
    ])
    #expect(answers[1] == .failure(.refused(reason: "malformed JSON")))
    #expect(answers[2] == .failure(.refused(reason: "integer overflow")))
    for done in [0, 3, 4] { #expect(throws: Never.self) { try answers[done].get() } }
    clock.milliseconds += 1_000
    try await eventually { try outside.int64("SELECT count(*) FROM document_rows WHERE collection = '/n/'") == 1 }
    try outside.execute("DROP TABLE tags")
    let late = try await session.writeAll([.put("/tags/", "3", #"{"tags": "[1]"}"#), .put("/n/", "4", "{}")])
    #expect(late.allSatisfy { if case .failure(.refused("no such table: main.tags")) = $0 { true } else { false } })
    await session.close()
    #expect {
      try store.restart()
    } throws: { error in
      "\(error)".contains("no such table: main.tags") && "\(error)".contains("trigger entries")
    }
    for object in ["TRIGGER entries", "TRIGGER exits", "INDEX numbers"] { try outside.execute("DROP \(object)") }
    outside.close()
    try store.restart()
    try store.closeAndCheck()
  }

  @Test("Triggers of the operator's may write through the view: the server's numbers and times go on behind theirs")
  func writingTriggers() async throws {
    let clock = TestClock()
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 5
    let store = try StoreFixture(options: options, clock: clock)
    let session = try store.session()
    let outside = try store.connect()
    try outside.execute(
      """
      CREATE TRIGGER entries AFTER INSERT ON document_rows WHEN new.collection <> '/audit/'
      BEGIN INSERT INTO documents(collection, id, data) VALUES ('/audit/', new.id, '"in"'); END;
      CREATE TRIGGER exits AFTER DELETE ON document_rows WHEN old.collection <> '/audit/'
      BEGIN UPDATE documents SET data = '"out"' WHERE collection = '/audit/' AND id = old.id; END
      """)
    let brief = WriteTerms(lifetime: .milliseconds(1_000))
    let answers = try await session.writeAll((1...9).map { Write.put("/n/", "\($0)", "1").on(brief) })
    #expect(try answers.map { try $0.get().revision?.rawValue } == (0..<9).map { 2 * $0 + 1 })
    let outcome = try await session.transact(
      Transaction(.batch, bytes: 1, key: nil) { access in
        for id in ["a", "b"] { access.submit(.put("/n/", id, "1")) { _ in } }
        access.submit(.delete("/n/", "a")) { _ in }
        return TransactionResult(0, keepsWrites: true, kept: nil)
      })
    guard case .answered = outcome else { throw StoreError.closed }
    // All of one kind, at once, and behind one another.
    clock.milliseconds += 1_000
    try await eventually { try outside.int64("SELECT count(*) FROM document_rows WHERE collection = '/n/'") == 1 }
    #expect(try outside.int64("SELECT count(*) FROM documents WHERE collection = '/audit/' AND data = '\"out\"'") == 10)
    #expect(try outside.int64("SELECT count(*) = max(sequence) FROM changes") == 1)
    let falls = "SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY sequence) AS falls FROM changes) WHERE falls"
    #expect(try outside.int64(falls) == 0)
    for trigger in ["entries", "exits"] { try outside.execute("DROP TRIGGER \(trigger)") }
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("What is kept under keys keeps to its bound while writes come without a pause, however large it is")
  func keptBytes() async throws {
    var options = SQLiteStoreOptions()
    options.idleMilliseconds = 3_600_000
    options.keptAnswerBytes = 48 << 20
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let answer = ByteBuffer(repeating: 0x31, count: 1 << 19)
    for number in 0..<240 {
      _ = try await session.transact(
        Transaction(.single, bytes: 1, key: IdempotencyKey(name: "\(number)", fingerprint: 1)) { access in
          access.submit(.put("/n/", "1", "1")) { _ in }
          return TransactionResult(0, keepsWrites: true, kept: answer)
        })
    }
    let outside = try store.connect()
    let bytes = try #require(try outside.int64("SELECT sum(length(answer)) FROM kept_answers"))
    #expect(bytes <= 56 << 20, "\(bytes >> 20) MiB")
    outside.close()
    await session.close()
    try store.closeAndCheck(but: [.answer])
  }

  @Test(
    "The search for an equal document ends at its deadline, and changes nothing",
    arguments: [(#"{"n":1}"#, #"{"n":-1}"#), ("5", "5")])
  func searchDeadline(documents: String, wanted: String) async throws {
    var options = SQLiteStoreOptions()
    options.batchDeadlineMilliseconds = 1
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.writeAll((0..<20_000).map { .put("/item/", "\($0)", documents) })
    let answers = try await session.writeAll([.deleteFirst(in: "/item/", wanted), .put("/item/", "x", "1")])
    #expect(answers[0] == .failure(.deadlineExceeded))
    #expect(try answers[1].get().revision == Revision(20_001))
    await session.close()
    try store.closeAndCheck()
  }

  @Test("While another process holds the write lock, writes wait as long as they may, and reads go on")
  func busy() async throws {
    var options = SQLiteStoreOptions()
    options.busyTimeoutMilliseconds = 40
    let store = try StoreFixture(options: options)
    let session = try store.session()
    _ = try await session.put("/notes/", "1", "1")
    let outside = try store.connect()
    try outside.execute("BEGIN IMMEDIATE")
    let answers = try await session.writeAll([.put("/notes/", "1", "2"), .put("/notes/", "2", "2")])
    #expect(answers == [.failure(.busy(waitedMilliseconds: 40)), .failure(.busy(waitedMilliseconds: 40))])
    #expect(try await session.text("/notes/", "1") == "1")
    try outside.execute("ROLLBACK")
    #expect(try await session.put("/notes/", "1", "3") == Revision(2))
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  /// Submits writes in one tick; the answers come as they are given.
  private func submit(_ writes: [Write], in session: SessionDriver) -> AsyncStream<Result<WriteOutcome, StoreError>> {
    AsyncStream { answers in
      session.tick { session in
        for write in writes { session.submit(write) { answers.yield($0) } }
      }
    }
  }

  @Test("A write that waits for another process is done once that lets go")
  func waitsForLock() async throws {
    var options = SQLiteStoreOptions()
    options.busyTimeoutMilliseconds = 600_000
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let outside = try store.connect()
    try outside.execute("BEGIN IMMEDIATE")
    let answers = submit([.put("/notes/", "1", "1")], in: session)
    await session.drain()
    #expect(try await session.text("/notes/", "1") == nil)
    try outside.execute("COMMIT")
    #expect(await answers.first { _ in true } == .success(.created(DocumentPath("/notes/", "1"), Revision(1))))
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("A write for which the queue has no room is refused at once; those before it are done")
  func queueBound() async throws {
    var options = SQLiteStoreOptions()
    options.documentBytes = 1_000
    options.writeQueueBytes = 1_000 + WorkSize.overheadBytes
    options.busyTimeoutMilliseconds = 3_600_000
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let outside = try store.connect()
    try outside.execute("BEGIN IMMEDIATE")
    // While the first is held up, the second has its answer.
    let large = Write.put("/notes/", "1", String(repeating: "1", count: 900))
    var answers = submit([large, .put("/notes/", "2", "2")], in: session).makeAsyncIterator()
    #expect(await answers.next() == .failure(.queueFull(limit: 1_256)))
    try outside.execute("COMMIT")
    #expect(await answers.next() == .success(.created(DocumentPath("/notes/", "1"), Revision(1))))
    #expect(try await session.put("/notes/", "2", "2") == Revision(2))
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Writes are crowded while much waits, of which each request of a transaction is a part")
  func crowdedQueue() async throws {
    var options = SQLiteStoreOptions()
    options.busyTimeoutMilliseconds = 3_600_000
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let outside = try store.connect()
    try outside.execute("BEGIN IMMEDIATE")
    let crowded = AsyncStream<Bool> { crowded in
      session.tick { session in
        func submit(requests: Int, then body: @escaping () -> Void = {}) {
          let transaction = Transaction(.batch, bytes: 0, requests: requests, key: nil) { _ in
            TransactionResult(true, keepsWrites: true, kept: nil)
          }
          session.transact(transaction) { _ in body() }
          crowded.yield(session.writesAreCrowded)
        }
        submit(requests: WriteQueue.crowdWeight / 512)
        submit(requests: WriteQueue.crowdWeight / 512) {
          crowded.yield(session.writesAreCrowded)
          crowded.finish()
        }
      }
    }
    await session.drain()
    try outside.execute("COMMIT")
    #expect(await crowded.reduce(into: []) { $0.append($1) } == [false, true, false])
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }

  @Test("Writes are crowded where a few may take long, and where the writer has found that they do")
  func crowdedByTime() {
    let queue = WriteQueue(limitBytes: 1 << 20)
    let patch = WorkSize(dataBytes: 100, requests: 1, mayTakeLong: true)
    for _ in 0..<31 { #expect(queue.reserve(patch)) }
    #expect(!queue.isCrowded)
    for _ in 0..<2 { #expect(queue.reserve(patch)) }
    #expect(queue.isCrowded)
    for _ in 0..<33 { queue.release(patch) }
    let put = WorkSize(dataBytes: 100, requests: 1)
    for _ in 0..<4 { #expect(queue.reserve(put)) }
    #expect(!queue.isCrowded)
    queue.didCarryOut(weight: put.weight, nanoseconds: 100_000_000)
    #expect(queue.isCrowded)
    // That it was slow once is forgotten.
    for _ in 0..<40 { queue.didCarryOut(weight: put.weight, nanoseconds: 10_000) }
    #expect(!queue.isCrowded)
  }

  @Test("What the writer has not come to a while after the close is not done, and nobody is told that it was")
  func closing() async throws {
    try await withWritesBehindLock(busyTimeoutMilliseconds: 3_600_000) { store, outside, answers in
      let closing = Task.detached { store.repository.close() }
      try await eventually { (try? store.session()) == nil }
      try outside.execute("COMMIT")
      await closing.value
      let kept = try await answers.value.filter { if case .success = $0 { true } else { false } }
      #expect(kept.count < 10)
      #expect(try outside.int64("SELECT count(*) FROM documents") == Int64(kept.count))
    }
  }

  @Test("The close does not wait for as long as writes may for another process that holds the lock")
  func closingBehindLock() async throws {
    try await withWritesBehindLock(busyTimeoutMilliseconds: 60_000) { store, outside, answers in
      await Task.detached { store.repository.close() }.value
      #expect(try await answers.value == Array(repeating: .failure(.closed), count: 10))
      try outside.execute("COMMIT")
      #expect(try outside.int64("SELECT count(*) FROM documents") == 0)
    }
  }

  /// Ten writes wait in groups of one for a lock that another connection holds; a close gives them no time.
  private func withWritesBehindLock(
    busyTimeoutMilliseconds: Int64,
    _ body: (StoreFixture, Connection, Task<[Result<WriteOutcome, StoreError>], any Error>) async throws -> Void
  ) async throws {
    var options = SQLiteStoreOptions()
    options.busyTimeoutMilliseconds = busyTimeoutMilliseconds
    options.closingMilliseconds = 0
    options.groupWrites = 1
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let outside = try store.connect()
    try outside.execute("BEGIN IMMEDIATE")
    let answers = Task { try await session.writeAll((0..<10).map { .put("/notes/", "\($0)", "1") }) }
    await session.drain()
    try await body(store, outside, answers)
    outside.close()
  }

  @Test("A full disk refuses writes, leaves reads alone, and is forgotten when there is room")
  func full() async throws {
    var options = SQLiteStoreOptions()
    options.databaseBytes = 1 << 19
    let store = try StoreFixture(options: options)
    let session = try store.session()
    let text = "\"" + String(repeating: "x", count: 10_000) + "\""
    var answer: Result<WriteOutcome, StoreError> = .failure(.closed)
    var written = 0
    repeat {
      answer = try await session.writeAll([.put("/notes/", "\(written)", text)])[0]
      if case .success = answer { written += 1 }
    } while (try? answer.get()) != nil
    #expect(answer == .failure(.full))
    #expect(written > 10)
    #expect(try await session.text("/notes/", "0") == text)
    // Somebody makes room.
    let outside = try store.connect()
    try outside.execute("DELETE FROM document_rows WHERE id > '1'")
    #expect(try await session.put("/notes/", "0", text) == Revision(Int64(written) + 1))
    outside.close()
    await session.close()
    try store.closeAndCheck(but: [.chain])
  }

  @Test("A file or log that is no longer in its place ends all writing", arguments: ["", "-wal"])
  func moved(suffix: String) async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.put("/notes/", "1", "1")
    try store.rename(store.path + suffix, to: store.path + suffix + ".moved")
    let failing = try await session.writeAll([.put("/notes/", "2", "2")])[0]
    guard case .failure(.outcomeUnknown) = failing else {
      Issue.record("answered \(failing)")
      return
    }
    #expect(try await store.repository.waitForFailure() == failing.failure)
    #expect(try await session.writeAll([.put("/notes/", "3", "3")]) == [failing])
    await session.close()
    store.repository.close()
    // Nothing was tidied away: a new start finds the log as it was.
    try store.rename(store.path + suffix + ".moved", to: store.path + suffix)
    try store.checkIntegrity()
  }

  @Test("Ids grow over restarts and when the clock goes back, and no time in history falls")
  func identifiers() async throws {
    let clock = TestClock()
    let store = try StoreFixture(clock: clock)
    var ids: [String] = []
    for step: Int64 in [0, 1, -86_400_000, -3_000, 90_000_000] {
      clock.milliseconds += step
      let session = try store.session()
      let answers = try await session.writeAll(Array(repeating: .create(in: "/notes/", "1"), count: 50))
      ids += try answers.map { try #require(try $0.get().path).id }
      await session.close()
      try store.restart()
    }
    #expect(ids == ids.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    #expect(Set(ids).count == 250)
    let falls = try store.connect().int64(
      "SELECT count(*) FROM changes a JOIN changes b ON b.sequence = a.sequence + 1 WHERE b.at < a.at")
    #expect(falls == 0)
    try store.closeAndCheck()
  }

  @Test("Ids are UUIDs of version 7, each greater than the one before")
  func identifierForm() throws {
    var source = IdentifierSource()
    let ids = (0..<1_000).map { source.next(milliseconds: 0x0123_4567_89ab + $0 / 500) }
    #expect(ids == ids.sorted())
    #expect(Set(ids).count == 1_000)
    for id in ids {
      #expect(id.hasPrefix("01234567-89ab-7") || id.hasPrefix("01234567-89ac-7"))
      #expect(id.count == 36)
      #expect("89ab".contains(Array(id)[19]))
    }
  }
}

extension Result {
  var failure: Failure? {
    if case .failure(let failure) = self { failure } else { nil }
  }
}
