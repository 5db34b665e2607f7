/// What JSON string tokens mean, and how texts are written as tokens.
public enum JSONString {
  /// The text that a valid string token stands for; nil if it holds half of a surrogate pair, which no UTF-8 can hold.
  /// - Parameter token: a token that a scanner has checked, quotes included.
  public static func decode(_ token: UnsafeRawBufferPointer) -> String? {
    let content = UnsafeRawBufferPointer(rebasing: token[1..<token.count - 1])
    guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
    var isText = true
    let text = String(unsafeUninitializedCapacity: content.count) { buffer in
      let (count, hasLoneSurrogate) = unescape(content, into: buffer)
      isText = !hasLoneSurrogate
      return isText ? count : 0
    }
    return isText ? text : nil
  }

  /// What a valid string token stands for as UTF-8, half of a surrogate pair as WTF-8 has it.
  /// - Parameter token: a token that a scanner has checked, quotes included.
  public static func content(of token: UnsafeRawBufferPointer) -> [UInt8] {
    let content = UnsafeRawBufferPointer(rebasing: token[1..<token.count - 1])
    guard content.contains(UInt8(ascii: "\\")) else { return Array(content) }
    return Array(unsafeUninitializedCapacity: content.count) { buffer, count in
      count = unescape(content, into: buffer).count
    }
  }

  /// Whether a valid string token writes an ASCII character as `\u00…` or with a backslash before it.
  public static func escapesASCII(_ token: UnsafeRawBufferPointer) -> Bool {
    var index = 1
    while index < token.count - 1 {
      guard token[index] == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      guard token[index + 1] == UInt8(ascii: "u") else { return true }
      if codeUnit(at: index + 2, of: token) < 0x80 { return true }
      index += 6
    }
    return false
  }

  /// Appends `text` as a JSON string, quotes included: only what RFC 8259 demands is escaped.
  public static func encode(_ text: String, into bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { encode(UnsafeRawBufferPointer($0)) { bytes.append(contentsOf: $0) } }
  }

  /// Writes `text`, which is UTF-8, as a JSON string in runs: the pieces that need no escape as they stand, and the escapes between them.
  static func encode(_ text: UnsafeRawBufferPointer, write: (UnsafeRawBufferPointer) -> Void) {
    withUnsafeBytes(of: UInt8(ascii: "\"")) { write($0) }
    var start = 0
    for (index, byte) in text.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    {
      write(UnsafeRawBufferPointer(rebasing: text[start..<index]))
      writeEscape(of: byte, write: write)
      start = index + 1
    }
    write(UnsafeRawBufferPointer(rebasing: text[start...]))
    withUnsafeBytes(of: UInt8(ascii: "\"")) { write($0) }
  }

  private static func writeEscape(of byte: UInt8, write: (UnsafeRawBufferPointer) -> Void) {
    let short: UInt8? =
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
      case 0x08: UInt8(ascii: "b")
      case 0x09: UInt8(ascii: "t")
      case 0x0A: UInt8(ascii: "n")
      case 0x0C: UInt8(ascii: "f")
      case 0x0D: UInt8(ascii: "r")
      default: nil
      }
    if let short {
      withUnsafeBytes(of: (UInt8(ascii: "\\"), short)) { write($0) }
    } else {
      "\\u00".utf8.withContiguousStorageIfAvailable { write(UnsafeRawBufferPointer($0)) }
      withUnsafeBytes(of: (HexDigit.character(of: byte >> 4), HexDigit.character(of: byte & 0xF))) { write($0) }
    }
  }

  /// Writes what the inside of a string token stands for, as UTF-8; half of a surrogate pair is written the way UTF-8 would
  /// write its number if it could ("WTF-8"), so that two tokens give the same bytes only if their code units are the same.
  ///
  /// - Parameter buffer: as long as `content` or longer; no escape is shorter than what it stands for.
  static func unescape(
    _ content: UnsafeRawBufferPointer, into buffer: UnsafeMutableBufferPointer<UInt8>
  ) -> (count: Int, hasLoneSurrogate: Bool) {
    var count = 0
    var hasLoneSurrogate = false
    var index = 0
    func append(_ byte: UInt8) {
      buffer.initializeElement(at: count, to: byte)
      count += 1
    }
    while index < content.count {
      let byte = content[index]
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        append(byte)
        continue
      }
      let escape = content[index]
      index += 1
      switch escape {
      case UInt8(ascii: "b"): append(0x08)
      case UInt8(ascii: "f"): append(0x0C)
      case UInt8(ascii: "n"): append(0x0A)
      case UInt8(ascii: "r"): append(0x0D)
      case UInt8(ascii: "t"): append(0x09)
      case UInt8(ascii: "u"):
        var scalar = UInt32(codeUnit(at: index, of: content))
        index += 4
        if scalar & 0xFC00 == 0xD800, let low = lowSurrogate(at: index, of: content) {
          scalar = 0x1_0000 + (scalar & 0x3FF) << 10 + low & 0x3FF
          index += 6
        } else if scalar & 0xF800 == 0xD800 {
          hasLoneSurrogate = true
        }
        appendUTF8(of: scalar, append)
      default: append(escape)
      }
    }
    return (count, hasLoneSurrogate)
  }

  private static func appendUTF8(of scalar: UInt32, _ append: (UInt8) -> Void) {
    func continuation(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(scalar >> shift & 0x3F) }
    switch scalar {
    case ..<0x80:
      append(UInt8(scalar))
    case ..<0x800:
      append(0xC0 | UInt8(scalar >> 6))
      append(continuation(0))
    case ..<0x1_0000:
      append(0xE0 | UInt8(scalar >> 12))
      append(continuation(6))
      append(continuation(0))
    default:
      append(0xF0 | UInt8(scalar >> 18))
      append(continuation(12))
      append(continuation(6))
      append(continuation(0))
    }
  }

  /// The four hexadecimal digits at `index`.
  private static func codeUnit(at index: Int, of content: UnsafeRawBufferPointer) -> UInt16 {
    content[index..<index + 4].reduce(0) { $0 << 4 | (HexDigit.value(of: $1) ?? 0) }
  }

  /// The low half of a surrogate pair, if an escape at `index` is one.
  private static func lowSurrogate(at index: Int, of content: UnsafeRawBufferPointer) -> UInt32? {
    guard index + 6 <= content.count, content[index] == UInt8(ascii: "\\"), content[index + 1] == UInt8(ascii: "u")
    else { return nil }
    let unit = codeUnit(at: index + 2, of: content)
    return unit & 0xFC00 == 0xDC00 ? UInt32(unit) : nil
  }
}
