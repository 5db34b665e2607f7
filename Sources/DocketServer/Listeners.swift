import DocketService
import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The sockets that a server listens on.
struct Listeners {
  private let channels: [any Channel]
  private let socketFiles: [UnixSocketFile]
  /// What is listened on, with the ports that were taken.
  let addresses: [ListenAddress]

  init(
    configuration: DocketServer.Configuration, group: any EventLoopGroup, loops: LoopSet,
    meters: ServerMeters.Connections, logger: Logger
  ) async throws {
    let admission = Admission(limit: configuration.limits.connections, meters: meters)
    var channels: [any Channel] = []
    var socketFiles: [UnixSocketFile] = []
    var addresses: [ListenAddress] = []
    do {
      for address in configuration.addresses {
        // One each: a bootstrap keeps the options of what it has bound, and a Unix socket has none of TCP's.
        let bootstrap = Self.bootstrap(
          configuration: configuration, tls: address.isLocal ? nil : configuration.tls, group: group, loops: loops,
          admission, logger)
        let (channel, socketFile) = try await Self.bind(address, configuration.unixSocketAccess, bootstrap)
        if let socketFile { socketFiles.append(socketFile) }
        channels.append(channel)
        addresses.append(address.resolved(by: channel))
      }
    } catch {
      await Self.close(channels, socketFiles)
      throw error
    }
    self.channels = channels
    self.socketFiles = socketFiles
    self.addresses = addresses
  }

  private static func bootstrap(
    configuration: DocketServer.Configuration, tls: ServerTLS?, group: any EventLoopGroup, loops: LoopSet,
    _ admission: Admission, _ logger: Logger
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .serverChannelInitializer { channel in
        // Without descriptors accepting pauses, and goes on by itself once there are some.
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            AcceptBackoffHandler(shouldForwardIOErrorCaught: false, backoffProvider: { _ in .milliseconds(200) }))
        }
      }
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(
        .writeBufferWaterMark,
        value: .init(
          low: (configuration.limits.sendBufferBytes + 1) / 2, high: configuration.limits.sendBufferBytes)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let loop = loops.context(of: channel.eventLoop)
          let pipeline = channel.pipeline.syncOperations
          guard admission.admit(channel) else {
            return try pipeline.addHandler(RefusalHandler(admission, isTold: tls == nil))
          }
          try tls?.addHandlers(to: pipeline) { reason in logger.info("\(reason)") }
          try pipeline.addHandler(ConnectionHandler(loop: loop, admission: admission))
        }
      }
  }

  func close() async {
    await Self.close(channels, socketFiles)
  }

  /// The files go first: as long as a socket listens no other server takes its name, nor can another file have its inode.
  private static func close(_ channels: [any Channel], _ files: [UnixSocketFile]) async {
    for file in files { file.remove() }
    for channel in channels { try? await channel.close() }
  }

  /// How many connections may wait to be accepted on each socket.
  private static let backlog: Int32 = 4096

  /// Linux gives these to the connections that are accepted (tcp(7)): one call for all of them.
  private static func withTCPOptions(_ bootstrap: ServerBootstrap) -> ServerBootstrap {
    let bootstrap = bootstrap.serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .serverChannelOption(.socketOption(.so_keepalive), value: 1)
    #if os(Linux)
      // Who only watches sends nothing. If its machine has gone, the kernel finds out within two minutes.
      return [(TCP_KEEPIDLE, 60), (TCP_KEEPINTVL, 15), (TCP_KEEPCNT, 4)].reduce(bootstrap) { bootstrap, option in
        bootstrap.serverChannelOption(
          .tcpOption(NIOBSDSocket.Option(rawValue: option.0)), value: SocketOptionValue(option.1))
      }
    #else
      return bootstrap
    #endif
  }

  private static func bind(
    _ address: ListenAddress, _ access: UnixSocketAccess, _ bootstrap: ServerBootstrap
  ) async throws -> (any Channel, UnixSocketFile?) {
    do {
      switch address {
      case .tcp(let host, let port):
        return (try await withTCPOptions(bootstrap).bind(host: host, port: port).get(), nil)
      case .unixSocket(let path):
        try UnixSocketFile.makeRoom(at: path)
        let channel = try await bind(path, access, bootstrap)
        let file = UnixSocketFile(at: path)
        do { try access.complete(at: path) } catch {
          await close([channel], file.map { [$0] } ?? [])
          throw error
        }
        return (channel, file)
      }
    } catch let error as ListenError {
      throw error
    } catch {
      throw ListenError(error, at: address)
    }
  }

  private static func bind(
    _ path: String, _ access: UnixSocketAccess, _ bootstrap: ServerBootstrap
  ) async throws -> any Channel {
    // What NIO binds itself it also unlinks by its name, whosever that is by then.
    let descriptor = try UnixSocketFile.listen(at: path, mask: access.mask, backlog: backlog)
    return try await bootstrap.withBoundSocket(descriptor).get()
  }
}

extension ListenAddress {
  fileprivate var isLocal: Bool { if case .unixSocket = self { true } else { false } }

  fileprivate func resolved(by channel: any Channel) -> ListenAddress {
    guard case .tcp(let host, _) = self, let port = channel.localAddress?.port else { return self }
    return .tcp(host: host, port: port)
  }
}
