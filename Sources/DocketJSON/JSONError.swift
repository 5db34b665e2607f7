/// Why a text is not JSON (RFC 8259) that is taken here, and where.
public struct JSONError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    case unexpectedEnd
    case unexpectedByte(UInt8)
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
