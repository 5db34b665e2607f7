import DocketStore
import Testing

@testable import docket

@Suite("Tokens as they are listed")
struct TokenTableTests {
  private static let day: Int64 = 86_400_000
  private static let now = Timestamp(milliseconds: 1_795_604_800_000)

  private static func token(
    _ name: String, _ rules: [String] = ["read:/notes/"], expires: Int64? = nil, revoked: Int64? = nil
  ) -> ListedToken {
    func time(_ days: Int64) -> Timestamp { Timestamp(milliseconds: now.milliseconds + days * day) }
    return ListedToken(
      name: name, id: "id-\(name)", rules: rules, created: time(-2), expires: expires.map(time),
      revoked: revoked.map(time))
  }

  @Test("stand in columns that line up")
  func table() {
    let table = TokenTable(
      [
        Self.token("root", ["admin"]), Self.token("continuous", ["read:/a/", "write:/b/"], expires: 90),
        Self.token("old", expires: 0), Self.token("gone", expires: -1, revoked: -1), Self.token("new", ["fly:/"]),
      ], now: Self.now)
    #expect(
      table.lines == [
        "NAME        ID             STATE             CREATED            EXPIRES            RULES",
        "root        id-root        active            2026-11-23T11:06Z  never              admin",
        "continuous  id-continuous  active            2026-11-23T11:06Z  2027-02-23T11:06Z  read:/a/ write:/b/",
        "old         id-old         expired           2026-11-23T11:06Z  2026-11-25T11:06Z  read:/notes/",
        "gone        id-gone        revoked           2026-11-23T11:06Z  2026-11-24T11:06Z  read:/notes/",
        "new         id-new         unreadable rules  2026-11-23T11:06Z  never              fly:/",
      ])
  }

  @Test("have no rules that can be read where there are none")
  func unreadable() {
    #expect(Self.token("a", []).state(at: Self.now) == .unreadable)
    #expect(Self.token("a", ["admin", "fly"]).state(at: Self.now) == .unreadable)
  }

  @Test("move no cursor")
  func controls() {
    let line = TokenTable([Self.token("a\u{1B}[2J", ["read:/\n/"])], now: Self.now).lines[1]
    #expect(line.hasPrefix("a?[2J  ") && line.hasSuffix("read:/?/"))
  }

  @Test("are lines of JSON for programs")
  func json() {
    let json = Self.token("ci", ["stats", "read:/\"/"], expires: 1).json(at: Self.now)
    #expect(
      String(buffer: json)
        == #"{"name": "ci", "id": "id-ci", "allow": ["stats", "read:/\"/"], "createdAt": "2026-11-23T11:06:40.000Z", "expiresAt": "2026-11-26T11:06:40.000Z", "revokedAt": null, "state": "active"}"#
    )
  }

  @Test("are told when they are made: what they are, that they are shown once, and what the first one does")
  func creation() {
    let later = TokenCreation(token: Self.token("ci", ["stats"]), isFirst: false, place: "here").lines
    #expect(later.count == 2)
    #expect(later[0] == "this is token 'ci' (id-ci) of here: it allows stats, for ever")
    #expect(later[1].contains("shown only this once"))
    let admin = TokenCreation(token: Self.token("root", ["admin"], expires: 1), isFirst: true, place: "here").lines
    #expect(admin.count == 3 && admin[0].hasSuffix("admin, until 2026-11-26T11:06Z"))
    #expect(admin[2].contains("it is the first: from now on the server answers nobody without a token"))
    let first = TokenCreation(token: Self.token("ci"), isFirst: true, place: "here").lines
    #expect(first.count == 4 && first[3].contains("no admin's"))
  }
}
