import DocketClient
import DocketTLS
import NIOCore
import NIOPosix
import NIOSSL

/// The server that is measured, and how it is spoken to.
struct BenchServer {
  let address: ServerAddress
  let tls: ClientTLS?
  /// An access token, whose letters need no escapes in JSON.
  let token: String?

  /// Opens a connection of a bench. What is written before a handshake is done waits for it.
  func connect(
    _ handler: any ChannelHandler, on eventLoop: any EventLoop
  ) -> EventLoopFuture<any Channel> {
    let bound = NIOLoopBound(handler, eventLoop: eventLoop)
    let bootstrap = ClientBootstrap(group: eventLoop)
      .channelOption(.socketOption(.so_reuseaddr), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls = try tls?.makeHandler(for: address) { try pipeline.addHandler(tls) }
          try pipeline.addHandler(bound.value)
        }
      }
    return switch address {
    case .tcp(let host, let port):
      bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
    case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
    }
  }
}

extension BenchServer {
  /// The member that brings the token with a request, to stand behind another one; empty where there is none.
  var authorization: String { token.map { #","Authorization":"Bearer \#($0)""# } ?? "" }
}

extension CommandFailure {
  static let tokenNotTaken = CommandFailure(
    "401 Unauthorized: the server wants a token of a bench (\(GivenToken.hint))")

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
