import DocketSQLite
import DocketService
import DocketStore
import Logging
import NIOCore

/// A store on a new file that goes with it, with documents of 100 bytes in it, and a session of the main thread.
final class Store {
  static let documents = 10_000

  let session: any RepositorySession
  let service: DocumentService
  private let repository: SQLiteRepository
  private let inbox = Inbox()
  private let directory = StoreDirectory()

  /// - Parameter keepsDocuments: whether documents that were read are kept at hand.
  init(keepsDocuments: Bool = true) throws {
    var options = SQLiteStoreOptions()
    // How long a disk takes to sync says nothing of the code.
    options.durability = .normal
    if !keepsDocuments { options.documentCacheBytes = 0 }
    repository = try SQLiteRepository.open(
      path: directory.databasePath, options: options,
      logger: Logger(label: "microbench") { _ in SwiftLogNoOpLogHandler() })
    session = try repository.makeSession { [inbox] in inbox.deliver($0) }
    service = DocumentService(session: session)
    putAll()
  }

  deinit {
    session.close()
    repository.close()
  }

  /// Runs `body` in a tick, and waits until so many answers have come. `body` is given what takes one.
  func tick(answers: Int = 0, _ body: (_ answered: @escaping () -> Void) throws -> Void) rethrows {
    var missing = answers
    session.beginTick()
    try body { missing -= 1 }
    session.endTick()
    while missing > 0 { inbox.run() }
  }

  /// Reads every document once, so that they are at hand where they are kept.
  func readAll() {
    var output = ByteBuffer()
    tick { _ in
      for key in 0..<Self.documents {
        output.clear()
        let isAnswered = ByteBuffer(string: Samples.path(key)).withUnsafeReadableBytes {
          service.answerAtOnce($0, into: &output)
        }
        precondition(isAnswered)
      }
    }
  }

  /// Writes every document once.
  func putAll() {
    let data = ByteBuffer(string: Samples.document)
    tick(answers: Self.documents) { answered in
      for key in 0..<Self.documents {
        session.submit(.put(Samples.documentPath(key), data: data)) { result in
          guard case .success = result else { preconditionFailure("a new store takes every write: \(result)") }
          answered()
        }
      }
    }
  }
}
