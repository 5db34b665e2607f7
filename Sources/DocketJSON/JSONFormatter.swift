/// Lays out JSON for people to read. Tokens keep their bytes.
public enum JSONFormatter {
  /// One element or member a line, indented by two spaces; empty arrays and objects stay on one line.
  /// - Parameter bytes: a JSON text. One that is not valid comes back as it is.
  public static func pretty(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    (try? layOut(bytes)) ?? Array(bytes)
  }

  private static func layOut(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> [UInt8] {
    try JSONScanner.validate(bytes)
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count * 2)
    var depth = 0
    func beginLine() {
      output.append(UInt8(ascii: "\n"))
      output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }

    var scanner = JSONScanner(bytes)
    scanner.skipWhitespace()
    while let byte = scanner.next {
      if byte == UInt8(ascii: "\"") {
        output.append(contentsOf: bytes[try scanner.skipString().range])
        scanner.skipWhitespace()
        continue
      }
      scanner.offset += 1
      scanner.skipWhitespace()
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        output.append(byte)
        // The closing brackets lie two behind the opening ones in ASCII.
        if let closing = scanner.next, closing == byte + 2 {
          output.append(closing)
          scanner.offset += 1
          scanner.skipWhitespace()
        } else {
          depth += 1
          beginLine()
        }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        beginLine()
        output.append(byte)
      case UInt8(ascii: ","):
        output.append(byte)
        beginLine()
      case UInt8(ascii: ":"):
        output.append(byte)
        output.append(UInt8(ascii: " "))
      default:
        output.append(byte)
      }
    }
    return output
  }
}
