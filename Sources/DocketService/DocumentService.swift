import DocketStore
import DocketWire
import NIOCore

/// Carries out what requests ask for, on one store session. It belongs to that session's executor.
public final class DocumentService {
  public let session: any RepositorySession
  let limits: ServiceLimits

  public init(session: any RepositorySession, limits: ServiceLimits = ServiceLimits()) {
    self.session = session
    self.limits = limits
  }

  /// Only within a tick of the session.
  ///
  /// - Parameters:
  ///   - withHeaders: whether the response's headers will be looked at.
  ///   - completion: called once, at once or later, on the session's executor.
  public func perform(_ operation: Operation, withHeaders: Bool, completion: @escaping (Response) -> Void) {
    switch operation {
    case .answer(let response): completion(response)
    case .readDocument(let path, let condition):
      readDocument(path, condition, withHeaders: withHeaders, completion: completion)
    case .readPage(let request): readPage(request, completion: completion)
    case .readList: readList(completion: completion)
    case .readStats: readStats(completion: completion)
    case .write(let write, .document): self.write(write, withHeaders: withHeaders, completion: completion)
    case .write(let write, .original): writeItem(write, completion: completion)
    }
  }
}
