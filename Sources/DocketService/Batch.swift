import DocketJSON
import DocketStore
import DocketWire
import NIOCore

/// Requests that are carried out in their order as one: all of them, or none.
public struct Batch: Sendable {
  struct Step: Sendable {
    enum Task: Sendable {
      case operation(DocumentOperation)
      /// The answer is known without asking the store.
      case answer(Response)
    }

    let task: Task
    /// The request's `id`, as JSON text.
    let id: ByteBuffer?
    let withHeaders: Bool
  }

  let steps: [Step]
  let isDryRun: Bool
  /// The size of the request, in bytes.
  let bytes: Int
  /// Under which its answer is kept.
  var key: IdempotencyKey?

  /// The same requests, each of which becomes what `change` makes of it.
  func mapOperations(_ change: (DocumentOperation) -> DocumentOperation) -> Batch {
    Batch(
      steps: steps.map { step in
        guard case .operation(let operation) = step.task else { return step }
        return Step(task: .operation(change(operation)), id: step.id, withHeaders: step.withHeaders)
      }, isDryRun: isDryRun, bytes: bytes, key: key)
  }

  /// Whether one of its writes may take far longer than its data lets expect.
  var mayTakeLong: Bool {
    steps.contains { step in
      if case .operation(.write(let write, _)) = step.task { write.action.mayTakeLong } else { false }
    }
  }

  /// Whether it holds anything but writes.
  var reads: Bool {
    steps.contains { step in
      if case .operation(.write) = step.task { false } else { true }
    }
  }
}

extension Response {
  /// What an error says in words.
  private var detail: String? {
    let member = data?.jsonMembers?.last { $0.name == "detail" }
    return member?.value.withUnsafeReadableBytes { $0.first == UInt8(ascii: "\"") ? JSONString.decode($0) : nil }
  }

  /// What a batch is answered when one of its requests cannot be carried out: with that one's code.
  /// - Parameter index: which one, counted from 0.
  static func batchFailed(at index: Int, _ response: Response, id: ByteBuffer?, withHeaders: Bool) -> Response {
    var data = ByteBuffer()
    data.writeError(
      "batch_failed",
      "Nothing was changed. Request \(index) of the batch, counted from 0, was answered \(response.status.rawValue)\(response.detail.map { ": \($0)" } ?? ".")"
    )
    data.writeStaticString(", \"failed\": ")
    data.writeDecimal(index)
    data.writeStaticString(", \"response\": ")
    data.writeResponse(response, id: id, withHeaders: withHeaders, terminated: false)
    // How long to wait stands in the data too, for those who read no headers.
    if let seconds = response.headers["Retry-After"] {
      data.writeStaticString(", \"retryAfter\": ")
      data.writeString(seconds)
    }
    data.writeStaticString("}")
    var failure = Response(response.status, data: data)
    if let seconds = response.headers["Retry-After"] { failure.headers.append("Retry-After", seconds) }
    return failure
  }
}
