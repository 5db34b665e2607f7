import DocketClient
import DocketWire
import NIOCore

/// What a server's answer to a batch, or to a request that went by itself, means for an import.
enum ImportAnswer {
  case stored(imported: Int, replaced: Int)
  /// The request at this index, counted from 0, cannot be carried out, and nothing was.
  case bad(index: Int, reason: String)
  /// Nothing was done; the same may do after so many seconds.
  case later(seconds: Int, Refusal)
  case refused(Refusal)

  init(_ answer: Answer, isLone: Bool) throws {
    guard !answer.isSuccess else {
      self = try isLone ? Self.stored(one: answer.code) : Self.stored(in: answer.data)
      return
    }
    let refusal = Refusal(answer)
    // What the token does not allow it allows for no record that is like this one.
    let isAboutAccess = answer.code == 401 || answer.code == 403
    let isAboutRequest =
      (400..<500).contains(answer.code) && !isAboutAccess && refusal.error != "idempotency_key_reused"
    if answer.code == 503 || answer.code == 429 {
      self = .later(seconds: refusal.retryAfter ?? 1, refusal)
    } else if isAboutRequest && isLone {
      self = .bad(index: 0, reason: refusal.description)
    } else if isAboutRequest, let (index, reason) = Self.failure(in: answer.data) {
      self = .bad(index: index, reason: reason)
    } else {
      self = .refused(refusal)
    }
  }

  private static func stored(one code: Int) -> Self {
    .stored(imported: code == 201 ? 1 : 0, replaced: code == 201 ? 0 : 1)
  }

  /// - Parameter data: `{"responses": [{"code": 201, …}…]}`.
  private static func stored(in data: ByteBuffer) throws -> Self {
    var imported = 0
    var count = 0
    do {
      try data.withUnsafeReadableBytes { bytes in
        var outline = JSONOutline(bytes)
        try outline.forEachMember { name, range in
          guard name == "responses" else { return }
          let responses = UnsafeRawBufferPointer(rebasing: bytes[range])
          var list = JSONOutline(responses)
          try list.forEachElement { element in
            count += 1
            // The code comes first in every answer.
            if responses[element].starts(with: #"{"code": 201,"#.utf8) { imported += 1 }
          }
        }
      }
    } catch {
      throw DocketClientError.badAnswer(reason: "\(error)")
    }
    return .stored(imported: imported, replaced: count - imported)
  }

  /// - Parameter data: `{"error": "batch_failed", "detail": …, "failed": 2, "response": {…}}`.
  private static func failure(in data: ByteBuffer) -> (index: Int, reason: String)? {
    var index: Int?
    var response: Answer?
    try? data.withUnsafeReadableBytes { bytes in
      var outline = JSONOutline(bytes)
      try outline.forEachMember { name, range in
        let value = UnsafeRawBufferPointer(rebasing: bytes[range])
        switch name {
        case "failed": index = Int(String(decoding: value, as: UTF8.self))
        case "response": response = try Answer.parse(ByteBuffer(bytes: value))
        default: break
        }
      }
    }
    guard let index, let response else { return nil }
    return (index, Refusal(response).description)
  }
}
