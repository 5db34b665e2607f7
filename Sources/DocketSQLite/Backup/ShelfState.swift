import DequeModule
import DocketStore

/// What the threads of a shelf share: what is asked of it, what is being made, and what is there to be fetched.
struct ShelfState {
  /// A backup that somebody wants.
  struct Order: Sendable {
    let name: String
    let path: String
    var isForFetching = false
    var acceptsFaults = false
    /// Called once, on the thread that makes backups.
    let completion: @Sendable (Result<NewBackup, StoreError>) -> Void
  }

  /// A copy that is there to be fetched.
  struct Copy: Sendable {
    let file: StoredBackup
    let path: String
    /// Until when it is kept, by the uptime clock.
    var endsMilliseconds: Int64
  }

  /// Work on files. It is done, or refused for this reason.
  typealias FileWork = @Sendable (_ refusal: StoreError?) -> Void

  /// Not begun yet.
  private(set) var order: Order?
  /// Also of one that is not begun.
  private(set) var running: BackupList.Running?
  private(set) var copy: Copy?
  private(set) var fileWork: Deque<FileWork> = []
  /// Whether no further backup is made, and the one that is being made is to end.
  private(set) var isEnding = false
  /// Whether the threads end.
  private(set) var isClosed = false
  /// Whether something has happened that changes what is to be done next.
  private(set) var hasNews = false
  /// Whether a backup of the series was made since somebody asked.
  private(set) var seriesHasGrown = false

  /// Takes an order, of which there is one at a time. Returns why not, if not.
  mutating func place(_ order: Order) -> StoreError? {
    if isEnding { return .closed }
    guard running == nil, !order.isForFetching || copy == nil else { return .backupRunning }
    running = BackupList.Running(name: order.name, percent: nil)
    self.order = order
    return nil
  }

  /// The order that is to be begun.
  mutating func takeOrder() -> Order? {
    defer { order = nil }
    return order
  }

  /// Notes how far the one that is made is. Returns whether to go on.
  mutating func note(percent: Int?) -> Bool {
    running = running.map { BackupList.Running(name: $0.name, percent: percent) }
    return !isEnding
  }

  /// - Parameter endsMilliseconds: until when a copy is kept for fetching.
  mutating func end(_ order: Order, _ result: Result<NewBackup, StoreError>, endsMilliseconds: Int64) {
    running = nil
    hasNews = true
    guard order.isForFetching, case .success(let backup) = result else { return }
    copy = Copy(file: backup.file, path: order.path, endsMilliseconds: endsMilliseconds)
  }

  mutating func noteSeriesHasGrown() {
    seriesHasGrown = true
    hasNews = true
  }

  mutating func takeSeriesHasGrown() -> Bool {
    defer { seriesHasGrown = false }
    return seriesHasGrown
  }

  /// Returns why not, if not.
  mutating func add(_ work: @escaping FileWork, limit: Int) -> StoreError? {
    if isClosed { return .closed }
    guard fileWork.count < limit else { return .tooManyScans(limit: limit) }
    fileWork.append(work)
    return nil
  }

  /// The file work that is to be done next; ends the news.
  mutating func takeFileWork() -> FileWork? {
    hasNews = false
    return fileWork.popFirst()
  }

  /// The path of the copy of that name; keeps it until then, if it is there.
  mutating func copyPath(named name: String, keepUntilMilliseconds end: Int64? = nil) -> String? {
    guard let copy, copy.file.name == name else { return nil }
    if let end { self.copy?.endsMilliseconds = end }
    return copy.path
  }

  /// Gives up the copy whose time is over, and returns its path.
  mutating func forgetCopy(at milliseconds: Int64) -> String? {
    guard let copy, copy.endsMilliseconds <= milliseconds else { return nil }
    self.copy = nil
    return copy.path
  }

  mutating func forgetCopy(named name: String) {
    if copy?.file.name == name { copy = nil }
  }

  mutating func prepareToClose() {
    isEnding = true
    hasNews = true
  }

  mutating func close() {
    isEnding = true
    isClosed = true
  }
}
