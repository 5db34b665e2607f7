import DocketStore
import Glibc
import Logging

/// The backups of a database that is served: makes them, one at a time and at the times of a series, and keeps a copy that is
/// to be fetched for as long as somebody asks for it.
///
/// Its calls return at once. What they ask for is done by two threads: `BackupMaker` makes backups, `BackupKeeper` does all
/// else with files.
final class BackupShelf: Sendable {
  struct Options: Sendable {
    /// Where they lie; nil: there is no place.
    var folder: String?
    var series: BackupSeries?
    /// How long a copy for fetching is kept once nobody asks for it any more.
    var fetchSeconds: Int64 = 60
    /// How much work on files may wait; more is refused as `tooManyScans`.
    var queueLength = 256
  }

  private let database: String
  private let options: Options
  private let places: BackupPlaces
  private let state = Monitor(ShelfState())
  private let maker: WorkerThread
  private let keeper: WorkerThread

  /// - Parameter copy: is called in the place of `DatabaseBackup`; for tests.
  init(
    of database: String, options: Options, clock: WallClock, logger: Logger, copy: BackupMaker.Copying? = nil
  ) {
    self.database = database
    self.options = options
    places = BackupPlaces(of: database, folder: options.folder)
    places.removeLeftovers()
    let state = state
    let interruption = Interruption()
    let making = BackupMaker(
      copy: copy ?? BackupMaker.copying(database), fetchSeconds: options.fetchSeconds, interruption: interruption,
      clock: clock, logger: logger)
    let keeping = BackupKeeper(
      places: places, series: options.series, interruption: interruption, clock: clock, logger: logger)
    maker = WorkerThread(name: "docket-backup") { making.run(state) }
    keeper = WorkerThread(name: "docket-shelf") { keeping.run(state) }
  }

  // Completions are called once, on any thread, those of refusals at once.

  func make(
    _ name: BackupName?, acceptsFaults: Bool, completion: @escaping @Sendable (Result<NewBackup, StoreError>) -> Void
  ) {
    let place: (name: String, path: String)
    if let name {
      guard let path = places.path(of: name) else { return completion(.failure(.noBackupFolder)) }
      place = (name.text, path)
    } else {
      place = places.newCopy()
    }
    let order = ShelfState.Order(
      name: place.name, path: place.path, isForFetching: name == nil, acceptsFaults: acceptsFaults,
      completion: completion)
    if let refusal = state.withLock({ $0.place(order) }) { return completion(.failure(refusal)) }
    state.broadcast()
  }

  func list(completion: @escaping @Sendable (Result<BackupList, StoreError>) -> Void) {
    onKeeper(completion) { [places, state] in
      let items = places.list()
      return state.withLock { .success(BackupList(items: items, running: $0.running, fetching: $0.copy?.file)) }
    }
  }

  func read(
    _ name: BackupName, from offset: Int64, completion: @escaping @Sendable (Result<BackupPiece?, StoreError>) -> Void
  ) {
    onKeeper(completion) { [database, options, places, state] in
      let end = WallClock.uptimeMilliseconds() + options.fetchSeconds * 1000
      let copy = state.withLock { $0.copyPath(named: name.text, keepUntilMilliseconds: end) }
      guard let path = copy ?? places.path(of: name) else { return .success(nil) }
      return BackupFile.open(path, besides: database).flatMap { file in
        file.map { $0.piece(from: offset).map { $0 } } ?? .success(nil)
      }
    }
  }

  func remove(_ name: BackupName, completion: @escaping @Sendable (Result<Bool, StoreError>) -> Void) {
    onKeeper(completion) { [database, places, state] in
      let copy = state.withLock { $0.copyPath(named: name.text) }
      guard let path = copy ?? places.path(of: name) else { return .success(false) }
      return BackupFile.open(path, besides: database).flatMap { file in
        state.withLock { $0.forgetCopy(named: name.text) }
        guard file != nil else { return .success(false) }
        guard unlink(path) != 0 else { return .success(true) }
        return errno == ENOENT ? .success(false) : .failure(.failed(reason: DatabasePath.systemError()))
      }
    }
  }

  private func onKeeper<Value>(
    _ completion: @escaping @Sendable (Result<Value, StoreError>) -> Void,
    _ body: @escaping @Sendable () -> Result<Value, StoreError>
  ) {
    let refusal = state.withLock { state in
      state.add({ refusal in completion(refusal.map { .failure($0) } ?? body()) }, limit: options.queueLength)
    }
    if let refusal { return completion(.failure(refusal)) }
    state.broadcast()
  }

  // MARK: The end

  /// Ends what is being made, which takes a moment, and lets none begin.
  func prepareToClose() {
    state.withLock { $0.prepareToClose() }
    state.broadcast()
  }

  /// Ends what is being made, removes what was to be fetched, and returns when both have happened.
  func close() {
    state.withLock { $0.close() }
    state.broadcast()
    keeper.join()
    maker.join()
    places.removeCopies()
  }
}
