import DocketWire
import NIOCore

/// What the server tells of a write that is as durable as it promises.
public struct WriteReceipt: Sendable, Equatable {
  /// Whether the document was not there before. Without idempotency keys, a PUT whose connection was lost may have been
  /// sent twice, and then this tells of the second time.
  public let isCreated: Bool
  public let path: String
  public let id: String
  public let revision: Int64
}

extension WriteReceipt {
  init(_ answer: Answer) throws(DocketClientError) {
    let fields = try AnswerFields(answer.data)
    path = try fields.text("path")
    id = try fields.text("id")
    revision = try fields.integer("revision")
    isCreated = answer.code == 201
  }
}

extension Refusal {
  /// - Parameter answer: one that is no success.
  public init(_ answer: Answer) {
    // Errors of the original routes, and those of another kind of server, have no object here.
    let fields = try? AnswerFields(answer.data)
    code = answer.code
    message = answer.message
    error = try? fields?.text("error")
    detail = try? fields?.text("detail")
    retryAfter = (try? fields?.integer("retryAfter")).map { Int($0) }
  }
}
