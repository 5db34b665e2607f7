import Crypto

/// The text of a token, as its bearer shows it: `docket_k3v9x2m4q8t1_` and 43 characters of base64url (RFC 4648, section 5).
/// What stands in front says which token it is; the rest is the secret, 256 random bits, of which the store keeps a digest.
public struct TokenText {
  public let id: String
  private let digest: SHA256Digest

  private static let prefix = "docket_"
  private static let idLetters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
  private static let idLength = 12
  private static let secretBytes = 32
  private static let secretLength = 43
  private static let length = prefix.utf8.count + idLength + 1 + secretLength

  /// nil where it is not the text of a token.
  public init?(_ text: Substring) {
    let bytes = Array(text.utf8)
    guard bytes.count == Self.length, bytes.starts(with: Self.prefix.utf8) else { return nil }
    let id = bytes[Self.prefix.utf8.count...].prefix(Self.idLength)
    guard id.allSatisfy({ Self.idLetters.contains($0) }), bytes[id.endIndex] == UInt8(ascii: "_"),
      let secret = Base64URL.decode(bytes[(id.endIndex + 1)...]), secret.count == Self.secretBytes
    else { return nil }
    self.id = String(decoding: id, as: UTF8.self)
    digest = SHA256.hash(data: secret)
  }

  /// By which a token is to be found: its id, where somebody gives its whole text for its name or id.
  public static func nameOrID(_ text: String) -> String { TokenText(text[...])?.id ?? text }

  /// A text with the secrets of all tokens in it left out: `docket_k3v9x2m4q8t1_…`. A secret that was cut short, or has something
  /// behind it, is left out as well.
  public static func masked(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var kept: [UInt8] = []
    var next = 0
    while next < bytes.count {
      let rest = bytes[next...]
      guard let secret = secretStart(in: rest) else {
        kept.append(bytes[next])
        next += 1
        continue
      }
      let end = bytes[secret...].firstIndex { Base64URL.value(of: $0) == nil } ?? bytes.endIndex
      kept += rest[..<secret]
      if secret < end { kept += "…".utf8 }
      next = end
    }
    return String(decoding: kept, as: UTF8.self)
  }

  /// A path with the secrets of all tokens in it left out, also of those that are percent-encoded; a path with such a secret
  /// is told decoded.
  public static func masked(path: String) -> String {
    guard path.utf8.contains(UInt8(ascii: "%")) else { return masked(path) }
    let decoded = PathGrammar.decodedWherePossible(path)
    let maskedAndDecoded = masked(decoded)
    return maskedAndDecoded == decoded ? path : maskedAndDecoded
  }

  /// Where the secret begins of a token whose text these bytes begin with; nil where it is none.
  private static func secretStart(in bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.starts(with: prefix.utf8) else { return nil }
    let id = bytes.dropFirst(prefix.utf8.count).prefix(idLength)
    guard id.count == idLength, id.allSatisfy({ idLetters.contains($0) }), id.endIndex < bytes.endIndex,
      bytes[id.endIndex] == UInt8(ascii: "_")
    else { return nil }
    return id.endIndex + 1
  }

  /// Whether its secret has this digest. It takes as long whatever the digest is: swift-crypto compares so.
  public func matches(_ digest: [UInt8]) -> Bool { self.digest == digest }

  /// A new token: its text, which is to be shown once, and what is kept of it.
  public static func make() -> (text: String, id: String, digest: [UInt8]) {
    // The kernel's (getrandom(2)).
    var random = SystemRandomNumberGenerator()
    let id = String(
      decoding: (0..<idLength).map { _ in idLetters[Int.random(in: idLetters.indices, using: &random)] }, as: UTF8.self)
    let secret = (0..<secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    return ("\(prefix)\(id)_\(Base64URL.encode(secret))", id, Array(SHA256.hash(data: secret)))
  }
}

/// Base64 with the alphabet that needs no escapes anywhere, without padding (RFC 4648, section 5).
enum Base64URL {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// nil for what `encode` does not write.
  static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for character in text {
      guard let value = value(of: character) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    // What is left over says nothing.
    return count < 6 && bits & (1 << UInt32(count) - 1) == 0 ? bytes : nil
  }

  static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
