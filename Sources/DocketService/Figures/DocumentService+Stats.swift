import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func readStats(completion: @escaping (Response) -> Void) {
    readFigures { result in
      switch result {
      case .success(let figures): completion(Response(.ok, data: figures.json))
      case .failure(let error): completion(error.response)
      }
    }
  }

  /// What the server knows of itself, read off the executor.
  public func readFigures(completion: @escaping (Result<ServerFigures, StoreError>) -> Void) {
    session.status { [watchHub, answers, meters] result in
      completion(
        result.map { ServerFigures(store: $0, watches: watchHub?.watches ?? 0, answers: answers, meters: meters) })
    }
  }

  /// Whether the server can do what it is for: the store answers, and there is room for what is written.
  func reportReadiness(completion: @escaping (Response) -> Void) {
    readinessWaiters.append(completion)
    guard readinessWaiters.count == 1 else { return }
    session.status { [self] result in
      let response = readiness(result)
      let waiters = readinessWaiters
      readinessWaiters = []
      for waiter in waiters { waiter(response) }
    }
  }

  private func readiness(_ result: Result<StoreStatus, StoreError>) -> Response {
    switch result {
    case .success(let status) where status.freeBytes < limits.roomBytes:
      .retry(
        .serviceUnavailable, "no_room",
        "The file system of the database has less than \(limits.roomBytes) bytes left (--ready-room-bytes); make room there.",
        afterSeconds: 10)
    case .success: .ready
    case .failure(let error): error.response
    }
  }
}

extension Response {
  package static var ready: Response { Response(.ok, data: ByteBuffer(staticString: #"{"status": "ready"}"#)) }
}
