import DocketJSON
import NIOCore

/// Why a call did not bring what was asked for. A call whose task was cancelled throws `CancellationError` instead.
public enum DocketClientError: Error, Sendable, Equatable {
  /// No connection came about; the request was not sent.
  case connectionFailed(ServerAddress, reason: String)
  /// TLS came to nothing, and the request was not sent or not looked at: one of the two sides does not believe the other, say.
  case notSecured(ServerAddress, reason: String)
  /// No answer came in time.
  /// - Parameter requestMayHaveHappened: whether it was sent. A write may have been carried out, or still be.
  case timedOut(requestMayHaveHappened: Bool)
  /// The connection ended before the answer, and the request is not one to be repeated, or was repeated in vain.
  case connectionClosed(requestMayHaveHappened: Bool)
  /// The client was closed before the request was sent.
  case clientClosed
  /// The server answered with a code that is no success. 401 and 403 are about the token: the same request does not do again before
  /// there is another one.
  case refused(Refusal)
  /// What came back is not an answer of this protocol, or not to this request.
  case badAnswer(reason: String)
  /// The connection of a watch was lost; it goes on where it was over another one, unless it has tried that too often.
  case watchInterrupted(reason: String)
  /// The document to be sent is not JSON. Nothing was sent.
  case invalidDocument(JSONError)
  /// The frame to be sent holds a NUL, so that it would be several. Nothing was sent.
  case invalidFrame
  /// The query to be sent holds a number that is infinite or none at all. Nothing was sent.
  case invalidNumber
}

/// An answer that says no.
public struct Refusal: Sendable, Equatable {
  /// HTTP's status code and its phrase.
  public let code: Int
  public let message: String
  /// The stable name of the error, and what is wrong and how to mend it. The original routes tell neither.
  public let error: String?
  public let detail: String?
  /// How long to wait before the same request may do, in seconds.
  public let retryAfter: Int?
}

extension DocketClientError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .connectionFailed(let address, let reason): "cannot connect to \(address): \(reason)"
    case .notSecured(let address, let reason): "no TLS connection to \(address): \(reason)"
    case .timedOut(false): "timed out before the request was sent"
    case .timedOut(true): "no answer in time; the request may have been carried out"
    case .connectionClosed(false): "the connection was closed before the request was sent"
    case .connectionClosed(true): "the connection was closed before the answer; the request may have been carried out"
    case .clientClosed: "the client is closed"
    case .refused(let refusal): refusal.description
    case .badAnswer(let reason): "not an answer: \(reason)"
    case .watchInterrupted(let reason): "the connection was lost: \(reason)"
    case .invalidDocument(let error): "not JSON: \(error)"
    case .invalidFrame: "a frame cannot hold a NUL byte"
    case .invalidNumber: "a query's numbers must be finite: JSON has neither infinity nor NaN"
    }
  }
}

extension Refusal: CustomStringConvertible {
  /// `404 Not Found: …`
  public var description: String {
    let head = "\(code) \(message)"
    return (detail ?? error).map { "\(head): \($0)" } ?? head
  }
}
