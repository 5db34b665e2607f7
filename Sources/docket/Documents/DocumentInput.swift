import DocketJSON
import NIOCore

/// Where a document on the command line comes from: `@file`, `-` for standard input, or the text itself.
enum DocumentInput {
  /// - Parameters:
  ///   - argument: nil reads standard input, too.
  ///   - content: what is read, as people are told.
  /// - Returns: a JSON text.
  /// - Throws: `CommandFailure`; with the byte at which the text stops being JSON.
  static func document(_ argument: String?, of content: String = "the document") throws -> ByteBuffer {
    let bytes = try text(argument, of: content)
    let check = bytes.withUnsafeReadableBytes { bytes in
      Result { () throws(JSONError) in try JSONScanner.validate(bytes) }
    }
    if case .failure(let error) = check {
      throw CommandFailure("\(content) is not JSON: \(error)", status: .usage)
    }
    return bytes
  }

  /// The bytes as they are.
  /// - Parameter content: what is read, as a person in front of a terminal is told.
  static func text(_ argument: String?, of content: String) throws -> ByteBuffer {
    switch argument {
    case nil, "-":
      if InputFile.standardInputIsTerminal {
        try StandardStream.error.writeLine("docket: reading \(content) from standard input; end it with Control-D")
      }
      return try InputFile.standardInput()
    case let argument? where argument.hasPrefix("@"):
      return try InputFile.read(path: String(argument.dropFirst()))
    case let argument?:
      return ByteBuffer(string: argument)
    }
  }
}
