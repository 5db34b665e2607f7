import DocketTestSupport
import Testing

@testable import DocketService

@Suite("The text of a token")
struct TokenTextTests {
  @Test("is known again by what is kept of it, and by nothing else")
  func roundTrip() throws {
    for _ in 0..<100 {
      let (text, id, digest) = TokenText.make()
      let other = TokenText.make()
      let token = try #require(TokenText(text[...]))
      #expect(token.id == id && digest.count == 32)
      #expect(token.matches(digest))
      #expect(!token.matches(other.digest) && other.id != id && other.text != text)
      // A digest that cannot be read is nobody's.
      #expect(!token.matches([]) && !token.matches(Array(digest.dropLast())) && !token.matches(digest + [0]))
    }
  }

  private static let secret = String(repeating: "A", count: 43)

  @Test("tells its id where a name is wanted; any other text is the name")
  func nameOrID() {
    let (text, id, _) = TokenText.make()
    #expect(TokenText.nameOrID(text) == id)
    for name in ["ci", id, String(text.dropLast()), text + "A", ""] { #expect(TokenText.nameOrID(name) == name) }
  }

  @Test("is masked wherever it stands, whole or in part, and nothing else is")
  func masked() {
    let (text, id, _) = TokenText.make()
    let plain = "docket_\(id)_…"
    #expect(TokenText.masked(text) == plain)
    #expect(TokenText.masked("/_tokens/\(text)?a=\(text.dropLast(30))&b") == "/_tokens/\(plain)?a=\(plain)&b")
    #expect(TokenText.masked("docket_docket_\(text)") == "docket_docket_\(plain)")
    for other in [
      "", "/notes/é", "docket_\(id)_", "docket_\(id)", "docket_", "/docket_notes/1", "docket_ABCDEFGHIJKL_x",
    ] {
      #expect(TokenText.masked(other) == other)
    }
  }

  @Test("is masked in a path also where that is percent-encoded, and other paths stay as they are")
  func maskedPath() {
    let (text, id, _) = TokenText.make()
    let plain = "docket_\(id)_…"
    #expect(TokenText.masked(path: "/_tokens/\(text)?a=b") == "/_tokens/\(plain)?a=b")
    #expect(TokenText.masked(path: "/_tokens/%64ocket_\(text.dropFirst(7))/%é%4") == "/_tokens/\(plain)/%é%4")
    let encoded = text.utf8.map { "%" + String($0, radix: 16) }.joined()
    #expect(TokenText.masked(path: "/a%2Fb/\(encoded)") == "/a/b/\(plain)")
    for other in ["", "/notes/%2F", "/notes/%", "/%64ocket_\(id)_", "/notes/%C3%28"] {
      #expect(TokenText.masked(path: other) == other)
    }
  }

  @Test("may be as it is made, and has letters that need no escapes")
  func form() {
    #expect(TokenText("docket_abcdefghij09_\(Self.secret)") != nil)
    let letters = TokenText.make().text.utf8
    #expect(letters.count == 63)
    #expect(letters.allSatisfy { (0x30...0x7A).contains($0) && !"`;<=>?@[\\]^:".utf8.contains($0) || $0 == 0x2D })
  }

  @Test(
    "is refused where it is made otherwise",
    arguments: [
      "", "docket_", "docket_abcdefghij09", "docket_abcdefghij09_",
      // Longer, shorter.
      "docket_abcdefghij09_\(secret)A", "docket_abcdefghij09_\(secret.dropLast())", "docket_abcdefghij0_\(secret)",
      " docket_abcdefghij09_\(secret)", "docket_abcdefghij09_\(secret) ",
      // Other letters.
      "Docket_abcdefghij09_\(secret)", "docket-abcdefghij09_\(secret)", "docket_ABCDEFGHIJ09_\(secret)",
      "docket_abcdefghij0-_\(secret)", "docket_abcdefghij09-\(secret)", "docket_abcdefghij09_\(secret.dropLast())=",
      "docket_abcdefghij09_\(secret.dropLast())+", "docket_abcdefghij09_\(secret.dropLast())/",
      "docket_abcdefghij09_\(secret.dropLast(2))é", "docket_abcdefgh\u{0}j09_\(secret)",
      // Bits that say nothing, so that no secret has two texts.
      "docket_abcdefghij09_\(secret.dropLast())B", "docket_abcdefghij09_\(secret.dropLast())D",
    ])
  func refused(_ text: String) {
    #expect(TokenText(text[...]) == nil)
  }

  @Test("matches no more once anything in it has changed")
  func corruptions() {
    var random = SeededGenerator.forTest(named: "corrupted tokens")
    let (text, id, digest) = TokenText.make()
    for _ in 0..<10_000 {
      var bytes = Array(text.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = bytes.indices.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = UInt8.random(in: 0x20..<0x7F, using: &random)
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(UInt8.random(in: 0x20..<0x7F, using: &random), at: place)
        default: bytes.swapAt(place, bytes.indices.randomElement(using: &random) ?? 0)
        }
      }
      let corrupted = String(decoding: bytes, as: UTF8.self)
      guard corrupted != text, let token = TokenText(corrupted[...]) else { continue }
      #expect(!(token.id == id && token.matches(digest)), "\(corrupted)")
    }
  }
}
