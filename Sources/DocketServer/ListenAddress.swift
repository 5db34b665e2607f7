import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where a server listens.
public enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A name or an address, and a port; port 0 takes a free one.
  case tcp(host: String, port: Int)
  /// The path of a unix socket.
  case unixSocket(path: String)

  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unixSocket(let path): path
    }
  }
}

/// Why an address cannot be listened on: one line that says how to mend it.
public enum ListenError: Error, Equatable, CustomStringConvertible {
  case addressTaken(ListenAddress, option: String)
  case notPermitted(ListenAddress)
  case socketIsLive(path: String)
  case notASocket(path: String)
  /// The address is for others than this machine, and there are no tokens.
  case everybodyMayDoEverything
  case other(ListenAddress, reason: String)

  /// - Parameter option: by which the port is chosen.
  public init(_ error: any Error, at address: ListenAddress, option: String = "--port") {
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE: self = .addressTaken(address, option: option)
    case EACCES: self = .notPermitted(address)
    case let code?: self = .other(address, reason: String(cString: strerror(code)))
    case nil: self = .other(address, reason: "\(error)")
    }
  }

  public var description: String {
    switch self {
    case .addressTaken(let address, let option):
      "\(address) is taken by another program; choose another \(option), or 0 for a free one"
    case .notPermitted(.unixSocket(let path)): "\(path) cannot be made: this user may not write in its folder"
    case .notPermitted(let address):
      "\(address) may not be listened on by this user; ports below 1024 need privileges"
    case .socketIsLive(let path): "a server is listening on the unix socket \(path); end it or choose another path"
    case .notASocket(let path): "\(path) exists and is not a unix socket; it is left alone, so choose another path"
    case .everybodyMayDoEverything:
      "there is no token yet, so whoever reaches an address that is not loopback may read and change everything; make one with docket token create admin --allow admin --database FILE, the one that is to be served, or add --insecure if that is meant"
    case .other(let address, let reason): "\(address) cannot be listened on: \(reason)"
    }
  }
}
