import DocketStore
import DocketWire
import NIOCore

/// Carries out what requests ask for, on one store session. It belongs to that session's executor.
public final class DocumentService {
  public let session: any RepositorySession
  let limits: ServiceLimits
  let answers: AnswerRoom
  /// All watches of the server; nil where there can be none.
  public let watchHub: WatchHub?
  let meters: ServerMeters
  /// Who waits for what the store answers to whether it is ready: everybody may ask, so it is asked once for all.
  var readinessWaiters: [(Response) -> Void] = []
  /// Called behind each change of who may do what, with what is to be done on the session's executor once it holds.
  public var accessChanged: ((@escaping () -> Void) -> Void)?

  public init(
    session: any RepositorySession, limits: ServiceLimits = ServiceLimits(),
    answers: AnswerRoom = AnswerRoom(limitBytes: .max), watchHub: WatchHub? = nil,
    meters: ServerMeters = ServerMeters()
  ) {
    self.answers = answers
    self.meters = meters
    self.session = session
    self.limits = limits
    self.watchHub = watchHub
  }

  /// Answers a request that asks for a document and no more, as `perform` would, if the store can tell it at once.
  /// Only within a tick of the session.
  ///
  /// - Parameters:
  ///   - path: the path of the request, as UTF-8.
  ///   - bytes: the largest document that is told so.
  ///   - output: where the answer is written, if there is one.
  /// - Returns: whether it was answered.
  public func answerAtOnce(
    _ path: UnsafeRawBufferPointer, atMost bytes: Int = .max, into output: inout ByteBuffer
  ) -> Bool {
    guard PathGrammar.isPlain(path), let data = session.data(named: path), data.count <= bytes else { return false }
    output.writeDocumentResponse(data)
    return true
  }

  /// Only within a tick of the session.
  ///
  /// Watches are the connection's: whoever has one carries them out by `ConnectionWatches`.
  ///
  /// - Parameters:
  ///   - withHeaders: whether the response's headers will be looked at.
  ///   - cancellation: what ends a query early; asked for where the operation is one.
  ///   - completion: called once, at once or later, on the session's executor.
  public func perform(
    _ operation: Operation, withHeaders: Bool, cancellation: @autoclosure () -> QueryCancellation? = nil,
    completion: @escaping (Response) -> Void
  ) {
    switch operation {
    case .answer(let response), .answerLater(let response, _): completion(response)
    case .reportHealth: completion(.healthy)
    // Nobody has been told apart from others.
    case .reportAccess: completion(.access(isOpen: true, .everything))
    case .reportReadiness: reportReadiness(completion: completion)
    case .document(let operation):
      DocumentOperations(access: session, limits: limits, room: answers).perform(
        operation, withHeaders: withHeaders, completion: completion)
    case .once(let key, let write, let form): perform(write, under: key, form, completion: completion)
    case .batch(let batch): perform(batch, completion: completion)
    case .past(let operation): perform(operation, withHeaders: withHeaders, completion: completion)
    case .query(let request): perform(request, cancellation: cancellation(), completion: completion)
    case .readCollections(let request): readCollections(request, completion: completion)
    case .settings(let operation): perform(operation, completion: completion)
    case .readChanges(let request): readChanges(request, completion: completion)
    case .watch: completion(.watchNeedsSession)
    case .endWatch(let name): completion(.noWatch(name))
    case .tokens(let operation): perform(operation, completion: completion)
    case .backups(let operation): perform(operation, completion: completion)
    case .readStats: readStats(completion: completion)
    }
  }
}

extension Response {
  package static var healthy: Response { Response(.ok, data: ByteBuffer(staticString: #"{"status": "ok"}"#)) }
}
