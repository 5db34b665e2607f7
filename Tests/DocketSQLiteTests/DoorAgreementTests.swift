import DocketJSON
import DocketTestSupport
import Migrations
import Testing

@testable import DocketSQLite

@Suite("The view and the server take the same texts")
struct DoorAgreementTests {
  /// Whether a check of the view lets some bytes pass as text.
  private final class Check {
    let connection: Connection
    let statement: Statement

    init(_ sql: String) throws {
      connection = try Connection(path: ":memory:", access: .create)
      for migration in MigrationCatalog.migrations { try connection.execute(migration.sql) }
      statement = try connection.prepare(sql)
    }

    func passes(_ bytes: [UInt8]) -> Bool {
      bytes.withUnsafeBytes { bytes in
        statement.bind(borrowing: bytes, at: 1)
        defer { statement.reset() }
        return (try? statement.run()) != nil
      }
    }
  }

  @Test("bytes are UTF-8 for the view where they are for Swift")
  func utf8() throws {
    let check = try Check("INSERT INTO text_check VALUES (?1)")
    var random = SeededGenerator.forTest(named: "bytes that may be UTF-8")
    // The borders of what may follow what (RFC 3629, section 4).
    let borders: [UInt8] = [
      0x20, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbe, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
      0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff,
    ]
    var valid = 0
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        if Bool.random(using: &random) {
          let scalar = Unicode.Scalar(UInt32.random(in: 1...0x10ffff, using: &random)) ?? "\u{ffff}"
          bytes += Array(String(scalar).utf8)
        } else {
          bytes += (0..<Int.random(in: 1...4, using: &random)).map { _ in pick(borders, &random) }
        }
      }
      let expected = String(validating: bytes, as: UTF8.self) != nil
      valid += expected ? 1 : 0
      #expect(check.passes(bytes) == expected, "\(bytes)")
    }
    #expect((1_000..<19_000).contains(valid))
  }

  @Test("bad bytes are found wherever they stand in a long text")
  func longTexts() throws {
    let check = try Check("INSERT INTO text_check VALUES (?1)")
    var random = SeededGenerator.forTest(named: "bad bytes in long texts")
    for _ in 0..<50 {
      var bytes = Array(
        String(repeating: pick(["abc ", "Gr\u{fc}\u{df}e ", "\u{4e2d}\u{6587}X"], &random), count: 900).utf8)
      #expect(check.passes(bytes))
      let place = Int.random(in: 0..<bytes.count, using: &random)
      bytes.insert(pick([0x80, 0xbf, 0xc3, 0xe4, 0xf0, 0xff], &random), at: place)
      #expect(check.passes(bytes) == (String(validating: bytes, as: UTF8.self) != nil), "\(place)")
    }
  }

  @Test("texts are JSON for the view where they are for the server")
  func json() throws {
    let check = try Check("INSERT INTO data_check VALUES (?1, NULL)")
    var random = SeededGenerator.forTest(named: "texts that may be JSON")
    let seeds = [
      #"{"a":[1,-2.5e+10,true,false,null],"b":{"c":"x\n\u00e9\ud83d\ude00"}}"#, " [ ] ", "-0", "0.1E-2", #""\/""#,
      #"[[],{},"",{"":0}]"#, "12", "[1e5,0e0,-0.0]", "null",
    ]
    let bytes = Array("{}[]:,\"\\ue+-.0129aftnrxb/ \t\n\r\u{b}\u{c}".utf8) + [0x01, 0x1f, 0x7f, 0xc3, 0xa9]
    var valid = 0
    for _ in 0..<20_000 {
      var text = Array(pick(seeds, &random).utf8)
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        let place = Int.random(in: 0..<text.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text[place] = pick(bytes, &random)
        case 1: text.insert(pick(bytes, &random), at: place)
        default: if text.count > 1 { text.remove(at: place) }
        }
      }
      let expected = text.withUnsafeBytes { (try? JSONScanner.validate($0)) != nil }
      valid += expected ? 1 : 0
      #expect(check.passes(text) == expected, "\(String(decoding: text, as: UTF8.self))")
    }
    #expect((1_000..<19_000).contains(valid))
  }

  @Test("depth is counted as the server counts it")
  func depth() throws {
    let check = try Check("INSERT INTO data_check VALUES (?1, NULL)")
    var random = SeededGenerator.forTest(named: "depth of JSON")
    for _ in 0..<300 {
      var text = "[" + String(repeating: #"{"x":["[[{{\""],"y":0},"#, count: Int.random(in: 0...40, using: &random))
      var ends = ["]"]
      for _ in 0..<Int.random(in: 120...135, using: &random) {
        if Bool.random(using: &random) {
          text += #"{"a\"[b":"#
          ends.append("}")
        } else {
          text += "[1,"
          ends.append(pick(["]", ",{}]", ",[[2]]]"], &random).replacing(",", with: ",", maxReplacements: 1))
        }
      }
      text += "0" + ends.reversed().joined()
      let bytes = Array(text.utf8)
      let expected = bytes.withUnsafeBytes { (try? JSONScanner.validate($0)) != nil }
      #expect(check.passes(bytes) == expected)
    }
  }
}
