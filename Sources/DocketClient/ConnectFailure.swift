import DocketTLS
import Glibc
import NIOCore
import NIOPosix

/// Why no connection came about, in words.
struct ConnectFailure: Error {
  let reason: String
  /// Whether it was TLS that failed.
  let isOfTLS: Bool

  init(reason: String, isOfTLS: Bool = false) {
    self.reason = reason
    self.isOfTLS = isOfTLS
  }

  init(_ error: any Error) {
    self.init(reason: Self.reason(error), isOfTLS: error is HandshakeHandler.Failure)
  }

  func error(_ address: ServerAddress) -> DocketClientError {
    isOfTLS ? .notSecured(address, reason: reason) : .connectionFailed(address, reason: reason)
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      // All addresses of a name have failed; the first one speaks for them.
      if let failure = error.connectionErrors.first { return reason(failure.error) }
      return "there is no host '\(error.host)'"
    case let error as IOError:
      return String(cString: strerror(error.errnoCode))
    case ChannelError.connectTimeout:
      return "timed out"
    case let failure as HandshakeHandler.Failure:
      return failure.description
    case is SocketAddressError:
      return "not an address, or too long for one"
    default:
      return "\(error)"
    }
  }
}
