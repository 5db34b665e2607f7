import DocketStore
import Glibc
import Testing

@testable import docket

@Suite("A rule for a peer")
struct PeerRuleTests {
  @Test("has a user by name or number, and a rule")
  func rules() throws {
    #expect(try PeerRule("root=admin") == PeerRule("0=admin"))
    #expect(try PeerRule("0=admin").uid == 0 && PeerRule("0=admin").rule == .admin)
    #expect(try PeerRule("4294967294=read:/notes").rule == .read("/notes/"))
    // The rule may hold what parts it from the user.
    #expect(try PeerRule("0=write:/a=b/").rule == .write("/a=b/"))
  }

  @Test(
    "is refused with a line that says what is wrong",
    arguments: [
      ("admin", "USER=RULE"), ("=admin", "USER=RULE"), ("nobody-of-this-name=admin", "no user 'nobody-of-this-name'"),
      ("4294967295=admin", "no user"), ("-1=admin", "no user"), ("0=everything", "'everything' is no rule"),
      ("0=", "is no rule"), ("0=read:notes", "must begin with a slash"),
    ])
  func refusals(_ text: String, _ message: String) {
    let error = #expect(throws: (any Error).self) { try PeerRule(text) }
    #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
  }

  @Test("and a group of the machine is found by name and number")
  func groups() {
    #expect(AccountName.groupID("root") == 0 && AccountName.groupID("17") == 17)
    #expect(AccountName.groupID("no-group-of-this-name") == nil && AccountName.groupID("4294967295") == nil)
  }
}
