import NIOCore
import NIOPosix

extension ServerAddress {
  /// Opens a connection, its bytes handled by `handler`.
  /// - Parameter handler: is made on the event loop.
  func connect(
    on eventLoop: any EventLoop, timeout: Duration, handler: @escaping @Sendable () -> any ChannelHandler
  ) -> EventLoopFuture<any Channel> {
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(timeout))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
      }
    return switch self {
    case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
    case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
    }
  }
}
