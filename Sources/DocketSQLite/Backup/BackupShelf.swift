import DocketStore
import Glibc
import Logging
import NIOCore

/// The backups of a database that is served: makes them, one at a time, each on a thread of its own, and at the times of a
/// series; keeps a copy that is to be fetched for as long as somebody asks for it.
final class BackupShelf: Sendable {
  struct Options: Sendable {
    /// Where they lie; nil: there is no place.
    var folder: String?
    var series: BackupSeries?
    /// How long a copy for fetching is kept once nobody asks for it any more.
    var fetchSeconds: Int64 = 60
  }

  private struct State {
    var thread: WorkerThread?
    var running: BackupList.Running?
    /// A copy for fetching, where it lies, and until when it is kept, by the uptime clock.
    var fetch: (name: String, path: String, endsMilliseconds: Int64)?
    var isClosed = false
  }

  private let database: String
  private let options: Options
  private let clock: WallClock
  private let logger: Logger
  private let state = Monitor(State())
  private let keeper: WorkerThread

  /// For each part of time that a copying works so many of rest.
  private static let restPerWork = 1.0
  private static let fetchPrefix = "fetch-"
  /// A series that has failed is tried again after so long.
  private static let retrySeconds: Int64 = 60

  init(of database: String, options: Options, clock: WallClock, logger: Logger) {
    self.database = database
    self.options = options
    self.clock = clock
    self.logger = logger
    let state = state
    let places = Places(database: database, folder: options.folder)
    places.removeFetched()
    if let folder = options.folder { PartialFile.removeLeftovers(in: folder + "/") }
    let keeping = Keeping(options: options, places: places, clock: clock, logger: logger)
    keeper = WorkerThread(name: "docket-backup") { keeping.run(state) }
  }

  /// Ends what is being made, removes what was to be fetched, and returns when both have happened.
  func close() {
    state.withLock { $0.isClosed = true }
    state.broadcast()
    keeper.join()
    let thread = state.withLock { state in
      defer { state.thread = nil }
      return state.thread
    }
    thread?.join()
    Places(database: database, folder: options.folder).removeFetched()
  }

  // MARK: What is asked for

  /// - Parameter completion: called once, on any thread.
  func make(_ name: BackupName?, completion: @escaping @Sendable (Result<NewBackup, StoreError>) -> Void) {
    let places = Places(database: database, folder: options.folder)
    let text: String
    let path: String
    if let name {
      guard let target = places.path(of: name) else { return completion(.failure(.noBackupFolder)) }
      guard access(target, F_OK) != 0 else { return completion(.failure(.backupExists(name: name.text))) }
      (text, path) = (name.text, target)
    } else {
      text = Self.fetchPrefix + String(UInt64.random(in: .min ... .max), radix: 16)
      path = places.fetchPath(of: text)
    }
    let fetchMilliseconds = options.fetchSeconds * 1000
    let isForFetching = name == nil
    let making = Making(database: database, clock: clock, logger: logger)
    let shared = state
    let refusal = state.withLock { state -> StoreError? in
      if state.isClosed { return .closed }
      guard state.running == nil, !isForFetching || state.fetch == nil else { return .backupRunning }
      state.running = BackupList.Running(name: text, percent: nil)
      // The one before it needs this lock no more.
      state.thread?.join()
      state.thread = WorkerThread(name: "docket-copy") {
        let result = making.run(text, path, restPerWork: Self.restPerWork, shared)
        shared.withLock { state in
          state.running = nil
          if isForFetching, case .success = result {
            state.fetch = (text, path, WallClock.uptimeMilliseconds() + fetchMilliseconds)
          }
        }
        shared.broadcast()
        completion(result)
      }
      return nil
    }
    if let refusal { completion(.failure(refusal)) }
  }

  func list() -> Result<BackupList, StoreError> {
    let running = state.withLock(\.running)
    let items = Places(database: database, folder: options.folder).list()
    return .success(BackupList(items: items, running: running))
  }

  func read(_ name: BackupName, from offset: Int64) -> Result<BackupPiece?, StoreError> {
    guard let path = path(of: name, isAskedFor: true) else { return .success(nil) }
    // Not even to be looked into: closing it would drop the locks of a database that is served.
    guard !isDatabase(path) else { return .success(nil) }
    // Something that is no file may have been put there, and opening it may not wait.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return errno == ENOENT ? .success(nil) : .failure(Self.failure()) }
    defer { Glibc.close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .failure(Self.failure()) }
    guard status.st_mode & S_IFMT == S_IFREG else { return .success(nil) }
    guard offset < Int64(status.st_size) else {
      return .success(BackupPiece(total: Int64(status.st_size), bytes: ByteBuffer()))
    }
    var bytes = ByteBuffer()
    var isFailed = false
    bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: BackupPiece.maximumBytes) { memory in
      let count = pread(descriptor, memory.baseAddress, BackupPiece.maximumBytes, off_t(offset))
      isFailed = count < 0
      return max(count, 0)
    }
    return isFailed ? .failure(Self.failure()) : .success(BackupPiece(total: Int64(status.st_size), bytes: bytes))
  }

  func remove(_ name: BackupName) -> Result<Bool, StoreError> {
    guard let path = path(of: name, isAskedFor: false), !isDatabase(path) else { return .success(false) }
    state.withLock { if $0.fetch?.name == name.text { $0.fetch = nil } }
    guard unlink(path) != 0 else { return .success(true) }
    return errno == ENOENT ? .success(false) : .failure(Self.failure())
  }

  /// Where it lies, if it is here.
  private func path(of name: BackupName, isAskedFor: Bool) -> String? {
    let fetched = state.withLock { state -> String? in
      guard let fetch = state.fetch, fetch.name == name.text else { return nil }
      if isAskedFor {
        state.fetch?.endsMilliseconds = WallClock.uptimeMilliseconds() + options.fetchSeconds * 1000
      }
      return fetch.path
    }
    return fetched ?? Places(database: database, folder: options.folder).path(of: name)
  }

  /// Whether a path leads to the database or to a file beside it.
  private func isDatabase(_ path: String) -> Bool {
    var own = stat()
    var named = stat()
    guard stat(path, &named) == 0 else { return false }
    return ["", "-wal", "-shm", ".lock"].contains { suffix in
      stat(database + suffix, &own) == 0 && own.st_dev == named.st_dev && own.st_ino == named.st_ino
    }
  }

  private static func failure() -> StoreError { .failed(reason: DatabasePath.systemError()) }

  // MARK: Its parts

  /// Where files lie.
  private struct Places {
    let database: String
    let folder: String?

    func path(of name: BackupName) -> String? { folder.map { "\($0)/\(name.text)" } }

    /// Beside the database, and hidden: there is room, or there is none for a backup at all.
    func fetchPath(of name: String) -> String { "\(ownFolder).\(ownName).\(name)" }

    private var ownFolder: String { String(database[..<(database.lastIndex(of: "/") ?? database.startIndex)]) + "/" }
    private var ownName: String { String(database.split(separator: "/").last ?? "") }

    /// Removes what an earlier run has left that was to be fetched.
    func removeFetched() {
      let prefix = ".\(ownName).\(BackupShelf.fetchPrefix)"
      for name in Folder.names(in: ownFolder) where name.hasPrefix(prefix) { unlink(ownFolder + name) }
      PartialFile.removeLeftovers(in: ownFolder)
    }

    func list() -> [StoredBackup] {
      guard let folder else { return [] }
      return Folder.names(in: folder).sorted().compactMap { name in
        var status = stat()
        guard BackupName(name) != nil, lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        let made = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        return StoredBackup(name: name, bytes: Int64(status.st_size), created: Timestamp(milliseconds: made))
      }
    }
  }

  /// Makes one backup, on its thread. Whoever has it make one says before and behind that it is running.
  private struct Making: Sendable {
    let database: String
    let clock: WallClock
    let logger: Logger

    func run(
      _ name: String, _ path: String, restPerWork: Double, _ state: Monitor<State>
    ) -> Result<NewBackup, StoreError> {
      let result: Result<NewBackup, StoreError>
      do throws(CareError) {
        let outcome = try DatabaseBackup.run(database, to: path, restPerWork: restPerWork) { progress in
          state.withLock { state in
            state.running = BackupList.Running(name: name, percent: progress.percent)
            return !state.isClosed
          }
        }
        logger.notice("a backup was made", metadata: ["name": "\(name)", "bytes": "\(outcome.bytes)"])
        result = .success(
          NewBackup(
            file: StoredBackup(
              name: name, bytes: outcome.bytes, created: Timestamp(milliseconds: clock.milliseconds())),
            revision: outcome.revision, history: outcome.report.history ?? ""))
      } catch {
        result = .failure(Self.translated(error, name))
        if case .stopped = error {
        } else {
          logger.error("a backup was not made", metadata: ["name": "\(name)", "error": "\(error)"])
        }
      }
      return result
    }

    private static func translated(_ error: CareError, _ name: String) -> StoreError {
      switch error {
      case .stopped: .closed
      case .exists: .backupExists(name: name)
      case .diskFull: .full
      default: .backupFailed(reason: error.description)
      }
    }
  }

  /// Looks after what time brings: the series, and copies that nobody fetches.
  private struct Keeping: Sendable {
    let options: Options
    let places: Places
    let clock: WallClock
    let logger: Logger

    func run(_ state: Monitor<State>) {
      var notBefore: Int64 = 0
      while true {
        let wait = min(fetchMilliseconds(state), seriesMilliseconds(notBefore))
        let isClosed = state.wait(until: \.isClosed, timeoutMilliseconds: wait, \.isClosed)
        if isClosed { return }
        removeForgotten(state)
        if seriesMilliseconds(notBefore) == 0 {
          notBefore = WallClock.uptimeMilliseconds() + (makeNext(state) ? 0 : BackupShelf.retrySeconds * 1000)
        }
      }
    }

    /// Nothing is to be done before; it looks again now and then, since clocks jump.
    private static let longestMilliseconds: Int64 = 60_000

    private func fetchMilliseconds(_ state: Monitor<State>) -> Int64 {
      let ends = state.withLock { $0.fetch?.endsMilliseconds }
      // A copy may be made meanwhile.
      return ends.map { max(0, $0 - WallClock.uptimeMilliseconds()) } ?? min(1000 * options.fetchSeconds, 1_000)
    }

    private func removeForgotten(_ state: Monitor<State>) {
      let path = state.withLock { state -> String? in
        guard let fetch = state.fetch, fetch.endsMilliseconds <= WallClock.uptimeMilliseconds() else { return nil }
        state.fetch = nil
        return fetch.path
      }
      if let path { unlink(path) }
    }

    private func seriesMilliseconds(_ notBefore: Int64) -> Int64 {
      guard let series = options.series, let folder = options.folder else { return Self.longestMilliseconds }
      let due = series.secondsToNext(in: folder, now: clock.milliseconds() / 1000) * 1000
      return min(max(due, notBefore - WallClock.uptimeMilliseconds(), 0), Self.longestMilliseconds)
    }

    /// - Returns: whether it was made.
    private func makeNext(_ state: Monitor<State>) -> Bool {
      guard let series = options.series, let folder = options.folder else { return true }
      let name = BackupSeries.name(at: clock.milliseconds() / 1000)
      let isFree = state.withLock { state in
        guard state.running == nil, !state.isClosed else { return false }
        state.running = BackupList.Running(name: name, percent: nil)
        return true
      }
      guard isFree else { return false }
      let making = Making(database: places.database, clock: clock, logger: logger)
      let result = making.run(name, "\(folder)/\(name)", restPerWork: BackupShelf.restPerWork, state)
      state.withLock { $0.running = nil }
      guard case .success = result else { return false }
      series.removeSurplus(in: folder, now: clock.milliseconds() / 1000)
      return true
    }
  }
}
