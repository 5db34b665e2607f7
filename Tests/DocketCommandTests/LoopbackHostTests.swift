import Testing

@testable import docket

@Suite("A host that no other machine reaches")
struct LoopbackHostTests {
  @Test("is one of loopback's addresses, or its name", arguments: ["localhost", "::1", "127.0.0.1", "127.255.0.9"])
  func loopback(_ host: String) { #expect(LoopbackHost.contains(host)) }

  @Test(
    "is not what only looks like one",
    arguments: [
      "", "0.0.0.0", "::", "128.0.0.1", "127.0.0", "127.0.0.1.example.org", "127.0.0.256", "127..0.1", "localhost.org",
      "::ffff:127.0.0.1", "10.127.0.1",
    ])
  func others(_ host: String) { #expect(!LoopbackHost.contains(host)) }
}
