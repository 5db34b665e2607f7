import ArgumentParser
import DocketWire
import NIOCore

struct BatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch", abstract: "Carry out several requests as one: all of them, or none.",
    discussion: """
      The requests are an array, each with method, path, data and headers, or an object such as \
      {"requests": […], "dryRun": true}. The answers are printed one a line.

        docket batch '[{"method": "PUT", "path": "/notes/1", "data": 1}, {"method": "DELETE", "path": "/notes/2"}]'
      """)

  @Argument(help: "The requests: a file, JSON text, or - for standard input, which is the default.")
  var file: String?

  @OptionGroup var retry: RetryOptions
  @OptionGroup var trial: TrialOptions
  @OptionGroup var server: ServerOptions

  func run() async throws {
    let data = Self.wrapped(try DocumentInput.document(Self.source(file)))
    let headers = Headers(given: retry.fields + trial.fields)
    let answer = try await server.withClient {
      try await $0.request(.post, "/_batch", data: data, headers: headers)
    }
    try CommandFailure.check(answer)
    for response in try Self.responses(answer.data) { try DocumentOutput.writeLine(response) }
  }

  /// A file may be named without the @ here, since no request begins like a name.
  private static func source(_ argument: String?) -> String? {
    guard let argument, let first = argument.first(where: { !$0.isWhitespace }), !"[{@-".contains(first) else {
      return argument
    }
    return "@\(argument)"
  }

  private static func wrapped(_ requests: ByteBuffer) -> ByteBuffer {
    guard requests.readableBytesView.first(where: { $0 > UInt8(ascii: " ") }) == UInt8(ascii: "[") else {
      return requests
    }
    var data = ByteBuffer(staticString: "{\"requests\": ")
    data.writeImmutableBuffer(requests)
    data.writeStaticString("}")
    return data
  }

  private static func responses(_ data: ByteBuffer) throws -> [ByteBuffer] {
    var responses: [ByteBuffer] = []
    try data.withUnsafeReadableBytes { bytes in
      var outline = JSONOutline(bytes)
      try outline.forEachMember { name, range in
        guard name == "responses" else { return }
        var list = JSONOutline(UnsafeRawBufferPointer(rebasing: bytes[range]))
        try list.forEachElement { element in
          responses.append(
            ByteBuffer(bytes: bytes[range.lowerBound + element.lowerBound..<range.lowerBound + element.upperBound]))
        }
      }
    }
    return responses
  }
}
