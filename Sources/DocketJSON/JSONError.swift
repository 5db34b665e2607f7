/// Why a text is not JSON (RFC 8259) that is taken here, and where.
public struct JSONError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    case unexpectedEnd
    case unexpectedByte(UInt8)
    /// A comma with no further element or member behind it; the offset is that of the closing bracket.
    case trailingComma
    case controlCharacterInString
    case invalidEscape
    case invalidNumber
    case invalidUTF8
    case tooDeep(limit: Int)
    /// Something other than white space follows the value.
    case trailingBytes
  }

  public let reason: Reason
  /// The byte at which it was noticed, counted from 0.
  public let offset: Int

  public init(_ reason: Reason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}

extension JSONError: CustomStringConvertible {
  /// One line for an error answer: what is wrong and at which byte. It holds nothing of the text but one printable character.
  public var description: String { "\(reason) at byte \(offset)" }
}

extension JSONError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unexpectedEnd: "the JSON text ends too early"
    case .unexpectedByte(let byte): Self.describe(unexpected: byte)
    case .trailingComma: "a trailing comma"
    case .controlCharacterInString: "a control character in a string that is not escaped"
    case .invalidEscape: "a backslash that begins no escape JSON has"
    case .invalidNumber: "a number JSON does not have"
    case .invalidUTF8: "a string that is not UTF-8"
    case .tooDeep(let limit): "arrays and objects nested deeper than \(limit)"
    case .trailingBytes: "something behind the end of the JSON value"
    }
  }

  private static func describe(unexpected byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "'"): return "a single quote where JSON has double quotes"
    case UInt8(ascii: "\""): return "an unexpected double quote"
    case UInt8(ascii: "/"): return "an unexpected \"/\" (JSON has no comments)"
    case 0xEF: return "an unexpected byte 0xEF (JSON is sent without a byte order mark)"
    case 0x21...0x7E: return "an unexpected \"\(Character(UnicodeScalar(byte)))\""
    default:
      let digits = String(byte, radix: 16, uppercase: true)
      return "an unexpected byte 0x\(digits.count < 2 ? "0" : "")\(digits)"
    }
  }
}
