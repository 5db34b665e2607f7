/// Where a server listens.
public enum ServerAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an IP address, and a TCP port.
  case tcp(host: String, port: Int)
  /// The path of a Unix domain socket.
  case unixSocket(path: String)

  /// As in messages: `127.0.0.1:12000`, `[::1]:12000`, or the path of the socket.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unixSocket(let path): path
    }
  }
}
