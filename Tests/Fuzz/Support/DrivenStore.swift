import DocketSQLite
import DocketStore
import DocketTestSupport
import DocketWire
import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore

@testable import DocketService

/// A store whose session belongs to the calling thread, which waits for every answer.
final class DrivenStore {
  private let repository: any DocumentRepository
  private let service: DocumentService
  private let router = Router(limits: WireLimits())
  private let inbox: Inbox
  private let folder: String?

  private init(_ repository: any DocumentRepository, folder: String? = nil) {
    self.repository = repository
    self.folder = folder
    let inbox = Inbox()
    self.inbox = inbox
    do throws(StoreError) {
      service = DocumentService(session: try repository.makeSession { inbox.deliver($0) })
    } catch { broken("a store gives no session", "\(error)") }
  }

  static func model(clock: FuzzClock) -> DrivenStore {
    DrivenStore(InMemoryRepository { Timestamp(milliseconds: clock.milliseconds) })
  }

  /// In a new folder where the environment says: in memory, as far as the machine has a file system there. A process that
  /// ends by a broken promise leaves it; `fuzz.py` removes it.
  static func sqlite(clock: FuzzClock) -> DrivenStore {
    var options = SQLiteStoreOptions()
    options.durability = .normal
    // What nobody asks for would come at moments that no input repeats.
    options.sweepMilliseconds = 86_400_000
    options.idleMilliseconds = 86_400_000
    do {
      let place = ProcessInfo.processInfo.environment["DOCKET_FUZZ_FOLDER"] ?? NSTemporaryDirectory()
      let folder = "\(place)/docket-fuzz-\(UInt64.random(in: 0 ... .max))"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      return DrivenStore(
        try SQLiteRepository.open(
          path: folder + "/fuzz.db", options: options,
          logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() },
          clock: WallClock { clock.milliseconds }), folder: folder)
    } catch { broken("a new store does not open", "\(error)") }
  }

  func close() {
    service.session.close()
    repository.close()
    if let folder { try? FileManager.default.removeItem(atPath: folder) }
  }

  func answer(_ request: Request) -> Response {
    var answer: Response?
    service.session.beginTick()
    service.perform(router.operation(for: request), withHeaders: true) { answer = $0 }
    service.session.endTick()
    while true {
      if let answer { return answer }
      inbox.run()
    }
  }
}

extension DrivenStore {
  var newestRevision: Int64 {
    service.session.beginTick()
    defer { service.session.endTick() }
    guard case .success(let revision) = service.session.newestRevision() else { broken("a store has no revision") }
    return revision.rawValue
  }
}

extension Response {
  /// As a message shows it.
  var text: String {
    let headers = headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: "; ")
    return "\(status.rawValue) \(data.map { String(buffer: $0) } ?? "-") \(headers)"
  }
}

/// A clock that stands until it is moved.
final class FuzzClock: Sendable {
  private let time = NIOLockedValueBox<Int64>(1_800_000_000_000)

  var milliseconds: Int64 { time.withLockedValue { $0 } }

  func move(by milliseconds: Int64) { time.withLockedValue { $0 += milliseconds } }
}

/// Carries what a store delivers to the thread that waits for it.
///
/// `@unchecked Sendable`: the work is touched only while the lock is held.
private final class Inbox: @unchecked Sendable {
  private let hasWork = ConditionLock(value: false)
  private var work: [@Sendable () -> Void] = []

  func deliver(_ work: @escaping @Sendable () -> Void) {
    hasWork.lock()
    self.work.append(work)
    hasWork.unlock(withValue: true)
  }

  /// Waits for work, and does it.
  func run() {
    guard hasWork.lock(whenValue: true, timeoutSeconds: 20) else { broken("an answer does not come") }
    let work = self.work
    self.work = []
    hasWork.unlock(withValue: false)
    for work in work { work() }
  }
}
