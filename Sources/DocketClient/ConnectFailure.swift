import Glibc
import NIOCore
import NIOPosix

/// What NIO's errors of connecting say to a person.
enum ConnectFailure {
  static func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      // All addresses of a name have failed; the first one speaks for them.
      if let failure = error.connectionErrors.first { return reason(failure.error) }
      return "there is no host '\(error.host)'"
    case let error as IOError:
      return String(cString: strerror(error.errnoCode))
    case ChannelError.connectTimeout:
      return "timed out"
    case is SocketAddressError:
      return "not an address, or too long for one"
    default:
      return "\(error)"
    }
  }
}
