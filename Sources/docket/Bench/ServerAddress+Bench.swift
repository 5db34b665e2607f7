import DocketClient
import NIOCore
import NIOPosix

extension ServerAddress {
  /// Opens a connection of a bench.
  func connect(_ handler: any ChannelHandler, on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
    let bound = NIOLoopBound(handler, eventLoop: eventLoop)
    let bootstrap = ClientBootstrap(group: eventLoop)
      .channelOption(.socketOption(.so_reuseaddr), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
      }
    return switch self {
    case .tcp(let host, let port):
      bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
    case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
    }
  }
}

extension CommandFailure {
  static func connecting(_ error: any Error) -> CommandFailure {
    CommandFailure("cannot connect: \(error) (is docket serve running there?)")
  }
}
