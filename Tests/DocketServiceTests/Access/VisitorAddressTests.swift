import NIOCore
import Testing

@testable import DocketService

@Suite("From where visitors come")
struct VisitorAddressTests {
  private func address(_ text: String) throws -> VisitorAddress {
    VisitorAddress(try SocketAddress(ipAddress: text, port: 4711))
  }

  @Test("is an address of IPv4, whatever the port and whichever socket it has come to")
  func ipv4() throws {
    #expect(try address("192.0.2.1") == .ipv4(0xC000_0201))
    #expect(try address("::ffff:192.0.2.1") == .ipv4(0xC000_0201))
    #expect(VisitorAddress(try SocketAddress(ipAddress: "192.0.2.1", port: 1)) == .ipv4(0xC000_0201))
    #expect(try address("192.0.2.2") != address("192.0.2.1"))
  }

  @Test("is a network of 64 bits of IPv6, however many addresses one takes there")
  func ipv6() throws {
    #expect(try address("2001:db8:1:2::1") == .ipv6(network: 0x2001_0db8_0001_0002))
    #expect(try address("2001:db8:1:2:ffff:eeee:dddd:cccc") == address("2001:db8:1:2::1"))
    #expect(try address("2001:db8:1:3::1") != address("2001:db8:1:2::1"))
    #expect(try address("::1") == .ipv6(network: 0))
    // No more than it seems: these are not mapped.
    #expect(try address("::192.0.2.1") == .ipv6(network: 0))
    #expect(try address("64:ff9b::ffff:192.0.2.1") == .ipv6(network: 0x0064_ff9b_0000_0000))
    #expect(try address("::1:ffff:192.0.2.1") == .ipv6(network: 0))
  }

  @Test("is unknown where nothing tells it")
  func unknown() throws {
    #expect(VisitorAddress(nil) == .unknown)
    #expect(VisitorAddress(try SocketAddress(unixDomainSocketPath: "/s")) == .unknown)
  }
}
