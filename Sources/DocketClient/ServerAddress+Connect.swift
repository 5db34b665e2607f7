import NIOCore
import NIOPosix

extension ServerAddress {
  /// Opens a connection, its bytes handled by `handler`.
  /// - Parameters:
  ///   - readsByItself: whether what comes is read as it comes; otherwise the handler asks for each read, of one piece.
  ///   - handler: is made on the event loop.
  func connect(
    on eventLoop: any EventLoop, timeout: Duration, readsByItself: Bool = true,
    handler: @escaping @Sendable () -> any ChannelHandler
  ) -> EventLoopFuture<any Channel> {
    var bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(timeout))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
      }
    if !readsByItself {
      bootstrap = bootstrap.channelOption(.autoRead, value: false).channelOption(.maxMessagesPerRead, value: 1)
    }
    return switch self {
    case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
    case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
    }
  }
}
