import DocketTestSupport
import DocketWire
import NIOCore
import Testing

@testable import docket

@Suite("What an answer means for an import")
struct ImportAnswerTests {
  private func read(_ code: Int, _ error: String, isLone: Bool) throws -> ImportAnswer {
    let data = #"{"error": "\#(error)", "detail": "d", "retryAfter": 3}"#
    return try ImportAnswer(
      try Answer.parse(ByteBuffer(bytes: ScriptedConnection.frame(code, "M", data))), isLone: isLone)
  }

  @Test("what is about the token is no record's fault, so that none is left out for it", arguments: [true, false])
  func access(_ isLone: Bool) throws {
    for (code, error) in [(401, "unauthorized"), (401, "invalid_token"), (403, "forbidden")] {
      guard case .refused(let refusal) = try read(code, error, isLone: isLone) else {
        Issue.record("\(code) \(error)")
        continue
      }
      #expect(refusal.error == error)
    }
    // What else is refused is.
    guard case .bad(0, _) = try read(413, "document_too_large", isLone: true) else {
      Issue.record("a document that is too large is its record's fault")
      return
    }
  }

  @Test("too many requests are made later, as where the server is busy", arguments: [429, 503])
  func later(_ code: Int) throws {
    guard case .later(seconds: 3, let refusal) = try read(code, "rate_limited", isLone: false) else {
      Issue.record("\(code)")
      return
    }
    #expect(refusal.code == code)
  }
}
