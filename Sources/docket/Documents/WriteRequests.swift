import ArgumentParser
import DocketClient
import DocketWire
import NIOCore

/// What the commands that write have in common.
extension ServerOptions {
  /// Sends the document that the command line names, and prints the answer's data.
  func write(
    _ method: Method, _ path: String, document: String?, headers: [(name: String, value: String)]
  ) async throws {
    try await write(method, path, data: try DocumentInput.document(document), headers: headers)
  }

  func write(
    _ method: Method, _ path: String, data: ByteBuffer?, headers: [(name: String, value: String)]
  ) async throws {
    let headers = Headers(given: headers)
    let answer = try await withClient { try await $0.request(method, path, data: data, headers: headers) }
    try CommandFailure.check(answer)
    try DocumentOutput.writeReceipt(answer.data)
  }
}

extension CommandFailure {
  /// Throws what the server says where it refuses.
  static func check(_ answer: Answer) throws(CommandFailure) {
    if !answer.isSuccess { throw CommandFailure(DocketClientError.refused(Refusal(answer))) }
  }
}

/// How a document is given.
let documentHelp: ArgumentHelp = "The document: JSON text, @file, or - for standard input, which is the default."

let documentDiscussion = "A text that begins with a dash stands behind --: docket put /notes/42 -- -1"
