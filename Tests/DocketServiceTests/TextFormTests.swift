import DocketStore
import Foundation
import Testing

@testable import DocketService

@Suite struct TextFormTests {
  @Test("Times are written as Foundation writes them")
  func times() {
    let iso = ISO8601DateFormatter()
    iso.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    let http = DateFormatter()
    http.locale = Locale(identifier: "en_US_POSIX")
    http.timeZone = TimeZone(identifier: "GMT")
    http.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    var generator = SystemRandomNumberGenerator()
    let edges: [Int64] = [
      0, 999, -1, -86_400_001, 951_782_399_999, 951_782_400_000, 4_107_542_399_000, 1_709_210_096_789,
    ]
    for milliseconds in edges
      + (0..<500).map({ _ in Int64.random(in: -2_000_000_000_000...8_000_000_000_000, using: &generator) })
    {
      let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      let whole = Date(timeIntervalSince1970: (Double(milliseconds) / 1000).rounded(.down))
      #expect(Timestamp(milliseconds: milliseconds).rfc3339 == iso.string(from: date), "\(milliseconds)")
      #expect(Timestamp(milliseconds: milliseconds).httpDate == http.string(from: whole), "\(milliseconds)")
    }
  }

  @Test("Times are read as they are written, with any offset and fraction, and nothing else is")
  func readTimes() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let time = Timestamp(milliseconds: Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &generator))
      #expect(Timestamp(rfc3339: time.rfc3339) == time)
    }
    let same = Timestamp(milliseconds: 1_709_210_096_700)
    for text in [
      "2024-02-29T12:34:56.7Z", "2024-02-29t12:34:56.700z", "2024-02-29 12:34:56.7009Z",
      "2024-02-29T14:34:56.7+02:00", "2024-02-29T14:34:56.7 02:00", "2024-02-29T00:04:56.7-12:30",
    ] { #expect(Timestamp(rfc3339: text) == same, "\(text)") }
    #expect(Timestamp(rfc3339: "2016-12-31T23:59:60Z")?.rfc3339 == "2016-12-31T23:59:59.000Z")
    for text in [
      "", "2024", "2024-02-29", "2024-02-29T12:34Z", "2024-02-29T12:34:56", "2023-02-29T12:34:56Z",
      "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
      "2024-01-01T00:00:61Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00+2:00",
      "24-01-01T00:00:00Z", "２024-01-01T00:00:00Z",
    ] { #expect(Timestamp(rfc3339: text) == nil, "\(text)") }
  }

  @Test("A cursor comes back as it went, and altered or foreign ones are told")
  func cursors() throws {
    let notes = CollectionPath(unchecked: "/notes/")
    for id in ["a", "é", "x/y", String(repeating: "z", count: 1000)] {
      let text = Cursor(id: id, in: notes).text
      #expect(Cursor(text, in: notes)?.id == id)
      #expect(Cursor(text, in: CollectionPath(unchecked: "/other/")) == nil)
      #expect(Cursor(String(text.dropLast(2)), in: notes) == nil)
      #expect(Cursor(text + "00", in: notes) == nil)
      #expect(Cursor(text, in: notes, isOfPast: true) == nil)
      let past = Cursor(id: id, in: notes, asOf: Revision(1 << 40)).text
      #expect(Cursor(past, in: notes, isOfPast: true)?.revision == Revision(1 << 40))
      #expect(Cursor(past, in: notes, isOfPast: true)?.id == id)
      #expect(Cursor(past, in: notes) == nil)
    }
    for text in ["", "00000000", "xyz", "0", "0011223344ff", String(repeating: "0", count: 10)] {
      #expect(Cursor(text, in: notes) == nil)
    }
  }

  @Test("An item is cut at its only comma, escaped or not, and keeps its writing")
  func items() {
    func split(_ token: String) -> [String]? {
      Array(token.utf8).withUnsafeBytes { Router.split($0) }.map { [String(buffer: $0.0), String(buffer: $0.1)] }
    }
    #expect(split(#""a,b""#) == [#""a""#, #""b""#])
    #expect(split(#"",""#) == [#""""#, #""""#])
    #expect(split(#""\u00e9\\,\"x""#) == [#""\u00e9\\""#, #""\"x""#])
    #expect(split(#""a\u002Cb""#) == [#""a""#, #""b""#])
    #expect(split(#""\\u002c""#) == nil)
    #expect(split(#""ab""#) == nil)
    #expect(split(#""a,b,c""#) == nil)
    #expect(split(#""a,b\u002cc""#) == nil)
    #expect(split(#""""#) == nil)
  }
}
