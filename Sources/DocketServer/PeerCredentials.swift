import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Who is at the other end of a unix socket, as the kernel knows it: the process that connected, when it did.
public struct PeerCredentials: Sendable, Equatable {
  public let user: UInt32
  public let group: UInt32
  public let process: Int32

  /// On the channel's event loop only.
  /// - Returns: nil where the channel is not connected by a unix socket.
  public init?(of channel: any Channel) {
    #if os(Linux)
      guard case .unixDomainSocket? = channel.localAddress else { return nil }
      // SO_PEERCRED, socket(7): struct ucred is made of these three.
      var credentials = (process: Int32(0), user: UInt32(0), group: UInt32(0))
      let outcome = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
        of: NIOBSDSocket.Handle.self
      ) { descriptor in
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length)
      }
      guard outcome == 0 else { return nil }
      user = credentials.user
      group = credentials.group
      process = credentials.process
    #else
      return nil
    #endif
  }
}
