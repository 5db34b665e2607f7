import DocketStore
import DocketTestSupport
import Foundation
import Logging
import Testing

@testable import DocketSQLite

@Suite("A shelf of backups")
struct BackupShelfTests {
  private let fixture: BackupFixture

  init() throws {
    fixture = try BackupFixture()
    try fixture.fill(100)
  }

  private func shelf(
    _ change: (inout BackupShelf.Options) -> Void = { _ in }, clock: WallClock = .system,
    copy: BackupMaker.Copying? = nil
  ) -> BackupShelf {
    var options = BackupShelf.Options(folder: fixture.folder)
    change(&options)
    return BackupShelf(
      of: fixture.path, options: options, clock: clock,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, copy: copy)
  }

  private func called(_ text: String) throws -> BackupName { try #require(BackupName(text)) }

  // MARK: What is asked for

  @Test("a backup is made, shown, read in pieces and removed")
  func kept() async throws {
    try fixture.fill(3_000, bytes: 1_000)
    let shelf = shelf()
    let name = try called("monday.db")
    let made = try await shelf.make(name)
    #expect(made.revision == Revision(3_100) && made.faults == 0 && made.file.name == "monday.db")
    #expect(try made.history == fixture.string("SELECT value FROM properties WHERE name = 'history_id'"))
    let list = try await shelf.list()
    #expect(list.items.map(\.name) == ["monday.db"] && list.items[0].bytes == made.file.bytes)
    #expect(list.running == nil && list.fetching == nil)
    #expect(try await shelf.whole(name) == Data(contentsOf: URL(fileURLWithPath: fixture.file("monday.db"))))
    for offset in [made.file.bytes, made.file.bytes + 1, .max] {
      let piece = try #require(try await shelf.read(name, from: offset))
      #expect(piece.bytes.readableBytes == 0 && piece.total == made.file.bytes)
    }
    await #expect(throws: StoreError.backupExists(name: "monday.db")) { try await shelf.make(name) }
    #expect(try await shelf.remove(name))
    #expect(try await !shelf.remove(name))
    #expect(try await shelf.read(name) == nil)
    #expect(try await shelf.list().items == [])
    #expect(try fixture.names == [])
    shelf.close()
  }

  @Test(
    "a copy for fetching lies beside the database, is shown as such, and goes when it is removed or the shelf closes")
  func fetched() async throws {
    let shelf = shelf { $0.folder = nil }
    await #expect(throws: StoreError.noBackupFolder) { try await shelf.make(try called("monday.db")) }
    let first = try await shelf.make(nil)
    let list = try await shelf.list()
    #expect(list.items == [] && list.fetching?.name == first.file.name && list.fetching?.bytes == first.file.bytes)
    await #expect(throws: StoreError.backupRunning) { try await shelf.make(nil) }
    let copy = fixture.directory.file(".docket.db.\(first.file.name)")
    let name = try called(first.file.name)
    #expect(try await shelf.whole(name) == Data(contentsOf: URL(fileURLWithPath: copy)))
    #expect(try await shelf.remove(name) == true)
    #expect(!FileManager.default.fileExists(atPath: copy))
    #expect(try await shelf.list().fetching == nil)
    #expect(try await shelf.read(name) == nil)
    let second = try await shelf.make(nil)
    #expect(second.file.name != first.file.name)
    shelf.close()
    let left = try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path)
    #expect(left.sorted() == ["backups", "docket.db"])
  }

  @Test("a copy that nobody asks for any more goes by itself, also while a backup is being made that comes to no end")
  func forgotten() async throws {
    let gate = Gate()
    let path = fixture.path
    let shelf = shelf {
      $0.fetchSeconds = 1
    } copy: { target, options, interruption, progress throws(BackupError) in
      if target.hasSuffix("endless.db") { gate.wait() }
      return try DatabaseBackup.run(path, to: target, options: options, interruption: interruption, progress: progress)
    }
    let made = try await shelf.make(nil)
    let endless = Task { try await shelf.make(try called("endless.db")) }
    try await eventually { try await shelf.list().running?.name == "endless.db" }
    let copy = fixture.directory.file(".docket.db.\(made.file.name)")
    try await eventually { !FileManager.default.fileExists(atPath: copy) }
    let list = try await shelf.list()
    #expect(list.fetching == nil && list.running != nil)
    gate.open()
    _ = try await endless.value
    shelf.close()
  }

  @Test("no call waits for a backup that is being made")
  func neverBlocks() async throws {
    let gate = Gate()
    let path = fixture.path
    let shelf = shelf(copy: { target, options, interruption, progress throws(BackupError) in
      gate.wait()
      return try DatabaseBackup.run(path, to: target, options: options, interruption: interruption, progress: progress)
    })
    // The second begins while the thread of the first is still at its end.
    for round in 1...3 {
      let making = Task { try await shelf.make(try called("\(round).db")) }
      try await eventually { try await shelf.list().running != nil }
      await #expect(throws: StoreError.backupRunning) { try await shelf.make(try called("other.db")) }
      await #expect(throws: StoreError.backupRunning) { try await shelf.make(nil) }
      #expect(try await shelf.read(try called("other.db")) == nil)
      #expect(try await !shelf.remove(try called("other.db")))
      gate.open()
      _ = try await making.value
      gate.shut()
    }
    gate.open()
    shelf.close()
  }

  // MARK: The end

  @Test(
    "what is being made ends when the store prepares to close, whoever asked for it is told, and nothing is left",
    arguments: [false, true])
  func prepareToClose(isForFetching: Bool) async throws {
    try fixture.fill(20_000)
    let path = fixture.path
    let isInCheck = Gate()
    let shelf = shelf(copy: { target, options, interruption, progress throws(BackupError) in
      var checks = 0
      return try DatabaseBackup.run(path, to: target, options: options, interruption: interruption) { report in
        guard report.step == "reading pages" else { return progress(report) }
        checks += 1
        // The first report is from before SQLite is at it.
        guard checks > 1 else { return true }
        isInCheck.open()
        while progress(report) { usleep(1_000) }
        // From here on it is not asked whether to go on, and only interrupting it helps.
        usleep(100_000)
        return true
      }
    })
    let wanted = isForFetching ? nil : try called("x.db")
    let making = Task { try await shelf.make(wanted) }
    try await eventually { isInCheck.hasOpened }
    shelf.prepareToClose()
    await #expect(throws: StoreError.closed) { try await making.value }
    await #expect(throws: StoreError.closed) { try await shelf.make(wanted) }
    // All else goes on.
    #expect(try await shelf.list() == BackupList(items: []))
    shelf.close()
    await #expect(throws: StoreError.closed) { try await shelf.list() }
    #expect(try fixture.names == [])
    let left = try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path)
    #expect(!left.contains { $0.hasPrefix(".docket.db.fetch") })
  }

  @Test("an order that has not begun when the shelf closes is answered as well")
  func closing() async throws {
    let shelf = shelf()
    let answer = try called("x.db")
    async let made = shelf.make(answer)
    shelf.close()
    do {
      _ = try await made
    } catch {
      #expect(error as? StoreError == .closed)
    }
  }

  @Test("what an earlier run left behind is removed at the start, and nothing of anybody else's")
  func leftovers() throws {
    let mine = [".docket.db.fetch-1234", ".docket.db.fetch-1234.docket-partial", "backups/.x.db.docket-partial"]
    let others = [".other.db.fetch-1234", "docket.db.fetch-1234", "backups/mine.db", "backups/.x.db"]
    for name in mine + others { try Data("x".utf8).write(to: URL(fileURLWithPath: fixture.directory.file(name))) }
    shelf().close()
    for name in mine { #expect(!FileManager.default.fileExists(atPath: fixture.directory.file(name)), "\(name)") }
    for name in others { #expect(FileManager.default.fileExists(atPath: fixture.directory.file(name)), "\(name)") }
  }

  // MARK: What else may lie in the folder

  @Test("what is no backup is neither shown, nor read, nor removed, whatever it is")
  func planted() async throws {
    try fixture.backUp("good.db")
    try FileManager.default.createSymbolicLink(
      atPath: fixture.file("soft.db"), withDestinationPath: fixture.file("good.db"))
    try FileManager.default.createSymbolicLink(atPath: fixture.file("secret.db"), withDestinationPath: "/etc/passwd")
    try FileManager.default.createDirectory(atPath: fixture.file("folder.db"), withIntermediateDirectories: true)
    #expect(mkfifo(fixture.file("pipe.db"), 0o600) == 0)
    try Data("SQLite format 3\0".utf8).write(to: URL(fileURLWithPath: fixture.file("short.db")))
    try Data(repeating: 0x58, count: 9_000).write(to: URL(fileURLWithPath: fixture.file("text.db")))
    let other = try Connection(path: fixture.file("others.db"), access: .create)
    try other.execute("CREATE TABLE t(x)")
    other.close()
    // Another database of Docket's, which a server may have.
    _ = try DatabaseFile.open(fixture.file("served.db"))
    for suffix in ["", "-wal", "-shm", ".lock"] where FileManager.default.fileExists(atPath: fixture.path + suffix) {
      try FileManager.default.linkItem(atPath: fixture.path + suffix, toPath: fixture.file("hard.db\(suffix)"))
    }
    let shelf = shelf()
    let before = try fixture.names
    #expect(try await shelf.list().items.map(\.name) == ["good.db"])
    for text in before where text != "good.db" {
      guard let name = BackupName(text) else { continue }
      #expect(try await shelf.read(name) == nil, "\(text)")
      #expect(try await shelf.remove(name) == false, "\(text)")
    }
    #expect(try fixture.names == before)
    shelf.close()
  }

  @Test("the locks of the database last, whoever has linked it into the folder")
  func locks() async throws {
    let store = try StoreFixture(options: options, clock: nil)
    try FileManager.default.linkItem(atPath: store.path, toPath: fixture.file("hard.db"))
    try FileManager.default.linkItem(atPath: store.path + "-shm", toPath: fixture.file("shm.db"))
    let session = try store.session()
    _ = try await session.write(.put("/a/", "1", "1"))
    #expect(try await session.backups().items == [])
    for link in ["hard.db", "shm.db"] { #expect(try await session.readBackup(try called(link)) == nil) }
    // Another process would find no lock of this one's, and think that nobody has the file open.
    let asked = try SQLiteCommand.run(store.path, "PRAGMA journal_mode = DELETE;")
    #expect(asked.output + asked.error == "wal\n" || asked.error.contains("locked"), "\(asked)")
    #expect(try await session.text("/a/", "1") == "1")
    await session.close()
    try store.closeAndCheck()
  }

  @Test("the locks of the database last also where it is linked as a backup of the series, or as a part that was left")
  func locksBesideSeries() async throws {
    var options = options
    options.backupSeries = BackupSeries(everySeconds: 1, keep: nil)
    let store = try StoreFixture(options: options, clock: nil)
    let links = [BackupSeries.name(at: 1_000_000), ".x.db.docket-partial"].map(fixture.file)
    for link in links { try FileManager.default.linkItem(atPath: store.path, toPath: link) }
    let session = try store.session()
    _ = try await session.write(.put("/a/", "1", "1"))
    // Each of them is preceded by a look at the folder, and by the removal of what was left there.
    let before = try fixture.names.count
    try await eventually { try fixture.names.filter { BackupSeries.seconds(of: $0) != nil }.count > before + 2 }
    let asked = try SQLiteCommand.run(store.path, "PRAGMA journal_mode = DELETE;")
    #expect(asked.output + asked.error == "wal\n" || asked.error.contains("locked"), "\(asked)")
    for link in links { #expect(FileManager.default.fileExists(atPath: link)) }
    await session.close()
    try store.closeAndCheck()
  }

  private var options: SQLiteStoreOptions {
    var options = SQLiteStoreOptions()
    options.backupFolder = fixture.folder
    return options
  }

  @Test("names lead out of no folder, and are none of SQLite's own")
  func names() {
    for text in [
      "", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a b", "a\0b", "é.db", "a\n", "x.db-wal", "x.db-shm",
      "x-journal", String(repeating: "a", count: 101), "a\\b", "~", "%2e",
    ] { #expect(BackupName(text) == nil, "\(text)") }
    for text in ["a", "monday.db", "A-b_9.", "-wal.db", String(repeating: "a", count: 100)] {
      #expect(BackupName(text)?.text == text)
    }
  }

  // MARK: The series

  @Test("a series goes on at the start as the names in the folder say, and keeps as many as it is told")
  func series() async throws {
    let now = WallClock.system.milliseconds() / 1000
    // The last one is over an hour old, and one is from a clock that was ahead.
    for age in [10_000, 7_200, 3_700, -100_000] as [Int64] { try fixture.plant(BackupSeries.name(at: now - age)) }
    try fixture.plant("mine.db")
    let series = BackupSeries(everySeconds: 3_600, keep: 2)
    let shelf = shelf { $0.series = series }
    try await eventually { try fixture.names.count == 4 }
    let names = try fixture.names
    #expect(names.contains("mine.db") && names.contains(BackupSeries.name(at: now + 100_000)))
    #expect(names.contains(BackupSeries.name(at: now - 3_700)))
    let new = try #require(names.compactMap(BackupSeries.seconds).filter { $0 >= now && $0 < now + 10_000 }.first)
    #expect(try DatabaseCheck.run(path: fixture.file(BackupSeries.name(at: new))).isSound)
    shelf.close()
    // Begun anew within the hour it makes none.
    let again = self.shelf { $0.series = series }
    try await Task.sleep(for: .milliseconds(100))
    #expect(try await again.list().running == nil)
    again.close()
    #expect(try fixture.names == names)
  }

  @Test("two databases with one folder have backups both, and none loses any; the log says so once")
  func sharedFolder() async throws {
    let other = try BackupFixture()
    let now = WallClock.system.milliseconds() / 1000
    let names = [30, 20, 10].map { BackupSeries.name(at: now - $0) }
    for name in names { try other.plant(name, in: fixture.folder) }
    let log = RecordedLog()
    var options = BackupShelf.Options(folder: fixture.folder)
    options.series = BackupSeries(everySeconds: 1, keep: 1)
    let shelf = BackupShelf(
      of: fixture.path, options: options, clock: .system, logger: Logger(label: "test") { _ in log })
    try await eventually { log.messages.filter { $0.hasPrefix("notice: a backup was made") }.count >= 3 }
    shelf.close()
    let left = try fixture.names
    #expect(names.allSatisfy(left.contains) && left.count == 4)
    #expect(
      log.messages.filter { $0.hasPrefix("warning: the backup folder has backups of another history") }.count == 1)
  }

  @Test("a database with faults makes no good backup go")
  func faultySeries() async throws {
    let now = WallClock.system.milliseconds() / 1000
    for age in [10_000, 7_200] as [Int64] { try fixture.plant(BackupSeries.name(at: now - age)) }
    let before = try fixture.names
    try fixture.execute("UPDATE document_rows SET data = '{'")
    let attempts = Counter()
    let path = fixture.path
    let shelf = shelf {
      $0.series = BackupSeries(everySeconds: 3_600, keep: 1)
    } copy: {
      target, options, interruption, progress throws(BackupError) in
      defer { attempts.count() }
      return try DatabaseBackup.run(path, to: target, options: options, interruption: interruption, progress: progress)
    }
    try await eventually { attempts.value > 0 }
    try await eventually { try await shelf.list().running == nil }
    #expect(try fixture.names == before)
    // People get one who ask for it so.
    await #expect(throws: StoreError.self) { try await shelf.make(try called("x.db")) }
    #expect(try await shelf.make(try called("x.db"), acceptsFaults: true).faults == 100)
    shelf.close()
  }
}

/// Lets threads pass while it is open.
private final class Gate: Sendable {
  private let isOpen = Monitor(false)

  var hasOpened: Bool { isOpen.withLock { $0 } }

  func wait() { isOpen.wait(until: { $0 }) { _ in } }

  func open() {
    isOpen.withLock { $0 = true }
    isOpen.broadcast()
  }

  func shut() { isOpen.withLock { $0 = false } }
}

private final class Counter: Sendable {
  private let number = Monitor(0)

  var value: Int { number.withLock { $0 } }

  func count() { number.withLock { $0 += 1 } }
}

/// Keeps what was logged, each as `level: message`.
private final class RecordedLog: LogHandler, @unchecked Sendable {
  private let lines = Monitor<[String]>([])

  var messages: [String] { lines.withLock { $0 } }

  func log(event: LogEvent) { lines.withLock { $0.append("\(event.level): \(event.message)") } }

  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
}

extension BackupShelf {
  fileprivate func make(_ name: BackupName?, acceptsFaults: Bool = false) async throws -> NewBackup {
    try await withCheckedContinuation { continuation in
      make(name, acceptsFaults: acceptsFaults) { continuation.resume(returning: $0) }
    }.get()
  }

  fileprivate func list() async throws -> BackupList {
    try await withCheckedContinuation { continuation in list { continuation.resume(returning: $0) } }.get()
  }

  fileprivate func read(_ name: BackupName, from offset: Int64 = 0) async throws -> BackupPiece? {
    try await withCheckedContinuation { continuation in
      read(name, from: offset) { continuation.resume(returning: $0) }
    }.get()
  }

  fileprivate func remove(_ name: BackupName) async throws -> Bool {
    try await withCheckedContinuation { continuation in remove(name) { continuation.resume(returning: $0) } }.get()
  }

  /// All pieces together.
  fileprivate func whole(_ name: BackupName) async throws -> Data {
    var data = Data()
    while true {
      let piece = try #require(try await read(name, from: Int64(data.count)))
      guard piece.bytes.readableBytes > 0 else { return data }
      data.append(contentsOf: piece.bytes.readableBytesView)
    }
  }
}
