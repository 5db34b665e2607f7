/// What JSON string tokens mean, and how texts are written as tokens.
public enum JSONString {
  /// The text that a valid string token stands for; nil if it holds half of a surrogate pair, which no UTF-8 can hold.
  /// - Parameter token: a token that a scanner has checked, quotes included.
  public static func decode(_ token: UnsafeRawBufferPointer) -> String? {
    fatalError("being written")
  }

  /// Appends `text` as a JSON string, quotes included: only what RFC 8259 demands is escaped.
  public static func encode(_ text: String, into bytes: inout [UInt8]) {
    fatalError("being written")
  }
}
