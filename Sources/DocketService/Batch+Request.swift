import DocketJSON
import DocketStore
import DocketWire
import NIOCore

/// Why a batch is not even begun.
struct BatchRefusal: Error {
  let response: Response

  init(_ response: Response) { self.response = response }

  init(_ detail: String) {
    self.init(.error(.badRequest, "invalid_batch", detail))
  }
}

extension Batch {
  /// Reads `{"requests": [{"method", "path", "data", "headers"}…], "dryRun": false}`.
  ///
  /// - Parameters:
  ///   - operation: what a request comes to.
  ///   - depth: how many arrays and objects may be open at once in a document.
  /// - Throws: also where one of the requests cannot be understood: then nothing is begun.
  init(
    _ request: Request, limits: ServiceLimits, depth: Int, operation: (Request) -> Operation
  ) throws(BatchRefusal) {
    let data = request.data ?? ByteBuffer(staticString: "null")
    let (requests, dryRun) = try Self.parts(of: data)
    guard requests.count <= limits.batchRequests else {
      throw BatchRefusal(
        .error(
          .contentTooLarge, "batch_too_large",
          "A batch may have \(limits.batchRequests) requests at most (--max-batch-requests)."))
    }
    var steps: [Step] = []
    steps.reserveCapacity(requests.count)
    for (index, text) in requests.enumerated() {
      steps.append(try Self.step(text, at: index, depth: depth, operation: operation))
    }
    self.steps = steps
    bytes = data.readableBytes
    isDryRun = dryRun || request.headers?.list("Prefer", contains: "dry-run") == true
    for name in ["If-Match", "If-None-Match", "Expires-In"] where request.headers?[name] != nil {
      throw BatchRefusal("\(name) stands in the headers of the requests it is about, not of the batch.")
    }
    do {
      let key = try IdempotencyKey(request)
      self.key = isDryRun ? nil : key
    } catch {
      throw BatchRefusal(.error(.badRequest, error.code, error.detail))
    }
  }

  /// The texts of the requests, and whether they are only to be tried.
  private static func parts(of data: ByteBuffer) throws(BatchRefusal) -> (requests: [ByteBuffer], isDryRun: Bool) {
    let shape = BatchRefusal(
      #"The data must be {"requests": […]}, each request an object with method, path, data and headers; "dryRun" may be true."#
    )
    var requests: [ByteBuffer]?
    var isDryRun = false
    guard let members = data.jsonMembers else { throw shape }
    for (name, value) in members {
      switch name {
      case "requests": requests = value.jsonElements
      case "dryRun":
        guard let flag = value.jsonBool else { throw shape }
        isDryRun = flag
      default: throw BatchRefusal("A batch has the members requests and dryRun; there is no '\(name)'.")
      }
    }
    guard let requests else { throw shape }
    return (requests, isDryRun)
  }

  private static func step(
    _ text: ByteBuffer, at index: Int, depth: Int, operation: (Request) -> Operation
  ) throws(BatchRefusal) -> Step {
    let request: Request
    do {
      request = try Request.parse(text, depth: depth)
    } catch {
      let response = error.response(onPersistentSession: true)
      throw BatchRefusal(.batchFailed(at: index, response, id: error.id, withHeaders: error.headers != nil))
    }
    func step(_ task: Step.Task) -> Step { Step(task: task, id: request.id, withHeaders: request.headers != nil) }
    switch operation(request) {
    case .document(let operation): return step(.operation(operation))
    case .answer(let response) where !response.status.isError: return step(.answer(response))
    case .answer(let response): throw refusal(response)
    case .once:
      throw refusal(
        .error(
          .badRequest, "invalid_idempotency_key",
          "Idempotency-Key stands in the headers of the batch, not of a request in it: the batch happens once or not at all."
        ))
    case .reportHealth: return step(.answer(.healthy))
    case .answerLater, .batch, .reportReadiness, .reportAccess, .readStats, .past, .query, .readCollections, .settings,
      .tokens,
      .backups, .readChanges,
      .watch, .endWatch:
      throw refusal(
        .error(
          .badRequest, "not_in_batch",
          "A batch holds reads and writes of documents as they stand, and of the original routes; no queries, changes or watches."
        ))
    }
    func refusal(_ response: Response) -> BatchRefusal {
      BatchRefusal(.batchFailed(at: index, response, id: request.id, withHeaders: request.headers != nil))
    }
  }
}
