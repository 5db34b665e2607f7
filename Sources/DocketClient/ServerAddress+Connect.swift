import DocketTLS
import NIOCore
import NIOPosix

extension ServerAddress {
  /// Opens a connection, its bytes handled by `handler`, with TLS if the configuration has it.
  /// - Parameters:
  ///   - readsByItself: whether what comes is read as it comes; otherwise the handler asks for each read, of one piece.
  ///   - handler: is made on the event loop, once the connection is there. What it writes waits for the handshake.
  /// - Returns: the channel, once it is known who the server is.
  func connect(
    on eventLoop: any EventLoop, _ configuration: ClientConfiguration, readsByItself: Bool = true,
    handler: @escaping @Sendable () -> any ChannelHandler
  ) -> EventLoopFuture<any Channel> {
    let deadline = NIODeadline.now() + TimeAmount(configuration.connectTimeout)
    var bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(TimeAmount(configuration.connectTimeout))
    if !readsByItself {
      bootstrap = bootstrap.channelOption(.autoRead, value: false).channelOption(.maxMessagesPerRead, value: 1)
    }
    let connecting =
      switch self {
      case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
      case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
      }
    // The handlers come only now, since of a name with several addresses several channels are tried; nothing is read yet.
    return connecting.flatMap { channel in
      let isSecured = channel.eventLoop.makePromise(of: Void.self)
      do {
        let pipeline = channel.pipeline.syncOperations
        if let tls = try configuration.tls?.makeHandler(for: self) {
          try pipeline.addHandlers([tls, HandshakeHandler(deadline: deadline, promise: isSecured)])
          // From then on the handshake reads for itself.
          if !readsByItself { channel.read() }
        } else {
          isSecured.succeed()
        }
        try pipeline.addHandler(handler())
      } catch {
        isSecured.fail(error)
        channel.close(promise: nil)
      }
      return isSecured.futureResult.map { channel }
    }
  }

  /// Opens a connection for `owner`.
  /// - Parameter completion: is told the handler once requests may be sent, or why there is no connection.
  func open(
    _ configuration: ClientConfiguration, for owner: any ConnectionOwner, on eventLoop: any EventLoop,
    readsByItself: Bool = true, completion: @escaping (Result<ClientConnectionHandler, ConnectFailure>) -> Void
  ) {
    let handler = ClientConnectionHandler(maximumFrameBytes: configuration.maximumAnswerBytes, owner: owner)
    let bound = NIOLoopBound(handler, eventLoop: eventLoop)
    let opening = connect(on: eventLoop, configuration, readsByItself: readsByItself) { bound.value }
    opening.assumeIsolated().whenComplete { result in
      switch result {
      case .success(let channel) where channel.isActive: completion(.success(handler))
      case .success: completion(.failure(ConnectFailure(reason: "closed at once")))
      case .failure(let error): completion(.failure(ConnectFailure(error)))
      }
    }
  }
}
