import NIOCore

/// Work on documents that is done as a whole or not at all, with nothing of others between.
public struct Transaction<Answer: Sendable>: Sendable {
  public let kind: TransactionKind
  /// What it counts among the bytes that wait to be written.
  public let bytes: Int
  /// How many requests it carries out.
  public let requests: Int
  /// Whether it may take far longer than its data lets expect.
  public let mayTakeLong: Bool
  /// Under which its result is kept, so that the same request again gets the same answer and does nothing.
  public let key: IdempotencyKey?
  /// Does the work, on a thread of the store. All reads in it see all writes before them.
  public let body: @Sendable (any DocumentAccess) -> TransactionResult<Answer>

  public init(
    _ kind: TransactionKind, bytes: Int, requests: Int = 1, mayTakeLong: Bool = false, key: IdempotencyKey?,
    body: @escaping @Sendable (any DocumentAccess) -> TransactionResult<Answer>
  ) {
    self.kind = kind
    self.bytes = bytes
    self.requests = requests
    self.mayTakeLong = mayTakeLong
    self.key = key
    self.body = body
  }
}

/// What a transaction holds.
public enum TransactionKind: Sendable {
  /// One write at most, which is atomic by itself.
  case single
  /// Any number; its changes stand in history under one mark.
  case batch
}

/// What a transaction came to.
public struct TransactionResult<Answer: Sendable>: Sendable {
  public let answer: Answer
  /// Whether its writes stay; otherwise all of them are undone.
  public let keepsWrites: Bool
  /// How much the answer holds, in bytes: a store that does several transactions together does no more of them at once
  /// than it has memory for.
  public let answerBytes: Int
  /// What is kept under the transaction's key, UTF-8; nil keeps nothing, and the same request again is carried out anew.
  public let kept: ByteBuffer?

  public init(_ answer: Answer, answerBytes: Int = 0, keepsWrites: Bool, kept: ByteBuffer?) {
    self.answer = answer
    self.answerBytes = answerBytes
    self.keepsWrites = keepsWrites
    self.kept = kept
  }
}

/// Told only once the transaction is as durable as the store promises.
public enum TransactionOutcome<Answer: Sendable>: Sendable {
  case answered(Answer)
  /// The same request was carried out before; this was kept of it.
  case repeated(ByteBuffer)
  /// Another request has come under this key.
  case keyInUse
}

/// A client's name for one request, under which it may be sent again without being carried out again.
public struct IdempotencyKey: Sendable, Equatable {
  public let name: String
  /// Tells the request from another one under the same key.
  public let fingerprint: UInt64

  public init(name: String, fingerprint: UInt64) {
    self.name = name
    self.fingerprint = fingerprint
  }
}
