import DocketClient
import DocketTLS
import NIOCore
import NIOPosix
import NIOSSL

extension ServerAddress {
  /// Opens a connection of a bench. What is written before a handshake is done waits for it.
  func connect(
    _ handler: any ChannelHandler, _ tls: ClientTLS?, on eventLoop: any EventLoop
  ) -> EventLoopFuture<any Channel> {
    let bound = NIOLoopBound(handler, eventLoop: eventLoop)
    let bootstrap = ClientBootstrap(group: eventLoop)
      .channelOption(.socketOption(.so_reuseaddr), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls = try tls?.makeHandler(for: self) { try pipeline.addHandler(tls) }
          try pipeline.addHandler(bound.value)
        }
      }
    return switch self {
    case .tcp(let host, let port):
      bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
    case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
    }
  }
}

extension CommandFailure {
  /// What an error of TLS says to a person; nil for one of something else.
  static func reasonOfTLS(_ error: any Error, _ context: ChannelHandlerContext) -> String? {
    switch error {
    case NIOSSLError.uncleanShutdown: return nil
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
      let peer = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
      return TLSFailure.reason(error, peer: peer)
    default: return nil
    }
  }

  static func connecting(_ error: any Error) -> CommandFailure {
    CommandFailure("cannot connect: \(error) (is docket serve running there?)")
  }
}
