import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func perform(_ batch: Batch, completion: @escaping (Response) -> Void) {
    let (limits, room) = (limits, answers)
    let transaction = Transaction(
      .batch, bytes: batch.bytes, requests: batch.steps.count, mayTakeLong: batch.mayTakeLong, key: batch.key
    ) { access in
      let answer = BatchAnswer(carryingOut: batch, in: access, limits: limits, room: room)
      return TransactionResult(
        answer, answerBytes: answer.bytes, keepsWrites: answer.isSuccess && !batch.isDryRun,
        kept: batch.key == nil ? nil : answer.response.textToKeep)
    }
    session.transact(transaction) { result in completion(result.response(within: room) { $0.response }) }
  }

  /// Makes a write that is made once under its key.
  func perform(_ write: Write, under key: IdempotencyKey, _ form: WriteForm, completion: @escaping (Response) -> Void) {
    let (limits, room) = (limits, answers)
    let transaction = Transaction(
      .single, bytes: write.dataBytes, mayTakeLong: write.action.mayTakeLong, key: key
    ) { access in
      var answer: Response?
      // Who sends a key sends headers, and reads them.
      let operations = DocumentOperations(access: access, limits: limits, room: room)
      operations.perform(.write(write, answeredAs: form), withHeaders: true) { answer = $0 }
      guard let answer else { preconditionFailure("a transaction answers at once") }
      return TransactionResult(answer, keepsWrites: true, kept: answer.textToKeep)
    }
    session.transact(transaction) { result in completion(result.response(within: room) { $0 }) }
  }

  /// Answers with a refusal, unless something was kept under the key.
  func tell(_ refusal: Response, unlessKeptUnder key: IdempotencyKey, completion: @escaping (Response) -> Void) {
    let transaction = Transaction(.single, bytes: 0, key: key) { _ in
      TransactionResult(refusal, keepsWrites: true, kept: refusal.textToKeep)
    }
    session.transact(transaction) { [answers] result in completion(result.response(within: answers) { $0 }) }
  }
}

/// What the requests of a batch were answered, or the first that failed.
private struct BatchAnswer: Sendable {
  private let steps: [Batch.Step]
  private var responses: [Response] = []
  private var failure: Response?
  /// Of the data of all answers.
  private(set) var bytes = 0
  /// Of the room for all that waits, from the transaction on: others may be carried out before this one is taken.
  private var share: AnswerRoom.Share?

  var isSuccess: Bool { failure == nil }

  init(carryingOut batch: Batch, in access: any DocumentAccess, limits: ServiceLimits, room: AnswerRoom) {
    steps = batch.steps
    responses.reserveCapacity(steps.count)
    let operations = DocumentOperations(access: access, limits: limits, room: room, isTrial: batch.isDryRun)
    for (index, step) in steps.enumerated() {
      let response = Self.response(to: step, operations)
      bytes += response.data?.readableBytes ?? 0
      guard !response.status.isError, bytes <= limits.batchAnswerBytes else {
        let reason = response.status.isError ? response : .batchAnswerTooLarge(limit: limits.batchAnswerBytes)
        failure = .batchFailed(at: index, reason, id: step.id, withHeaders: step.withHeaders)
        return
      }
      guard bytes <= room.documentBytes else {
        failure = .answersWait(limit: room.limitBytes)
        return
      }
      responses.append(response)
    }
    share = room.share(bytes: bytes)
  }

  private static func response(to step: Batch.Step, _ operations: DocumentOperations) -> Response {
    switch step.task {
    case .answer(let response): return response
    case .operation(let operation):
      var response: Response?
      operations.perform(operation, withHeaders: step.withHeaders) { response = $0 }
      guard let response else { preconditionFailure("a transaction answers at once") }
      return response
    }
  }

  /// `{"responses": […]}`, or why there are none.
  var response: Response {
    if let failure { return failure }
    // Each answer has some words around its data.
    var data = ByteBufferAllocator().buffer(capacity: bytes + 100 * (1 + responses.count))
    data.writeStaticString("{\"responses\": [")
    for (index, (step, response)) in zip(steps, responses).enumerated() {
      if index > 0 { data.writeStaticString(", ") }
      data.writeResponse(response, id: step.id, withHeaders: step.withHeaders, terminated: false)
    }
    data.writeStaticString("]}")
    return Response(.ok, data: data)
  }
}

extension Response {
  fileprivate static func batchAnswerTooLarge(limit: Int) -> Response {
    .error(
      .contentTooLarge, "batch_answer_too_large",
      "What a batch reads may have \(limit) bytes in all (--max-batch-answer-bytes); read in several requests.")
  }

  /// What is kept of an answer under an idempotency key: the whole of it, but for the `id`. Of an error that the moment
  /// made, nothing: the request is to be carried out when it comes again.
  fileprivate var textToKeep: ByteBuffer? {
    guard status.rawValue < 500 else { return nil }
    var text = ByteBuffer()
    text.writeResponse(self, id: nil, withHeaders: true, terminated: false)
    return text
  }

  /// An answer that was kept.
  fileprivate init(kept text: ByteBuffer) {
    guard let answer = try? Answer.parse(text), let status = Status(rawValue: answer.code) else {
      self = .error(
        .internalServerError, "store_failed",
        "What was kept under this Idempotency-Key cannot be read. Use another key.")
      return
    }
    self.init(status, data: answer.data, headers: answer.headers ?? Headers())
    headers.append("Idempotency-Replayed", "true")
  }
}

extension Result where Failure == StoreError {
  /// - Parameter room: for what was kept: it may be as large as what is answered for the first time, whose batch has looked.
  fileprivate func response<Value>(
    within room: AnswerRoom, _ own: (Value) -> Response
  ) -> Response where Success == TransactionOutcome<Value> {
    switch self {
    case .success(.answered(let answer)): own(answer)
    case .success(.repeated(let text)) where text.readableBytes > room.documentBytes:
      .answersWait(limit: room.limitBytes)
    case .success(.repeated(let text)): Response(kept: text)
    case .success(.keyInUse):
      .error(
        .unprocessable, "idempotency_key_reused",
        "Another request has come under this Idempotency-Key. Use a new key for each new request.")
    case .failure(let error): error.response
    }
  }
}
