import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// From where a connection comes, as far as it is counted together: an IPv4 address, a network of IPv6 (the first 64 bits, since
/// one customer has as many addresses as there are behind them), or a user of this machine.
public enum VisitorAddress: Hashable, Sendable {
  case ipv4(UInt32)
  case ipv6(network: UInt64)
  case user(UInt32)
  /// Whose origin cannot be told.
  case unknown

  public init(_ address: SocketAddress?) {
    switch address {
    case .v4(let address): self = .ipv4(UInt32(bigEndian: address.address.sin_addr.s_addr))
    case .v6(let address):
      let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
      func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
      // What a socket for both families shows of IPv4 (RFC 4291, section 2.5.5.2).
      self =
        number(0..<8) == 0 && number(8..<12) == 0xFFFF
        ? .ipv4(UInt32(number(12..<16))) : .ipv6(network: number(0..<8))
    case .unixDomainSocket, nil: self = .unknown
    }
  }
}
