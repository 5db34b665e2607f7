import DocketServer
import DocketService
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// The HTTP front end: the same resources under the same rules as the native port's, for curl, browsers and everything else that
/// speaks HTTP/1.1.
public struct HTTPServer: Service {
  public struct Configuration: Sendable {
    public var host: String
    /// 0 takes a free one.
    public var port: Int
    /// If given, the port speaks TLS and nothing else.
    public var tls: ServerTLS?
    public var limits: HTTPLimits
    public var rules: WebRules
    public var exposure: Exposure

    public init(
      host: String, port: Int, tls: ServerTLS? = nil, limits: HTTPLimits = HTTPLimits(), rules: WebRules = WebRules(),
      exposure: Exposure = Exposure()
    ) {
      self.host = host
      self.port = port
      self.tls = tls
      self.limits = limits
      self.rules = rules
      self.exposure = exposure
    }
  }

  private let store: ServedStore
  private let group: any EventLoopGroup
  private let configuration: Configuration
  private let logger: Logger
  private let onReady: @Sendable (_ url: String) -> Void

  /// - Parameters:
  ///   - group: the event loops that serve connections; to be shut down once the store is closed.
  ///   - onReady: called once, when connections are taken, with the address of the service's root.
  public init(
    _ store: ServedStore, on group: any EventLoopGroup, configuration: Configuration, logger: Logger,
    onReady: @escaping @Sendable (_ url: String) -> Void
  ) {
    self.store = store
    self.group = group
    self.configuration = configuration
    self.logger = logger
    self.onReady = onReady
  }

  /// Serves until the service group shuts down gracefully. The store stays as it is.
  /// - Throws: `ListenError` where the address cannot be listened on.
  public func run() async throws {
    try configuration.exposure.check(store.gate)
    configuration.exposure.warn(of: "over HTTP", store.gate, tls: configuration.tls, logger)
    var desks: [HTTPDesk] = []
    for (number, eventLoop) in group.makeIterator().enumerated() {
      let desk = HTTPDesk(store, on: eventLoop, number: number, limits: configuration.limits, logger: logger)
      try await desk.open()
      desks.append(desk)
    }
    let result = await serve(desks)
    for desk in desks { await desk.close() }
    try result.get()
  }

  private func serve(_ desks: [HTTPDesk]) async -> Result<Void, any Error> {
    let site = HTTPSite(
      store: store, rules: configuration.rules, limits: configuration.limits, isSecure: configuration.tls != nil,
      logger: logger)
    let channel = HTTPChannel(site: site, tls: configuration.tls, desks: desks, logger: logger)
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let server = channel.server(
      configuration: ServerConfiguration(
        address: .hostname(configuration.host, port: configuration.port), backlog: 1024),
      onServerRunning: { listener in onReady(url(of: listener)) }, eventLoopGroup: group, logger: quiet)
    do {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await server.run() }
        tasks.addTask {
          try await gracefulShutdown()
          store.prepareToClose()
          for desk in desks { await desk.endStreams() }
          // Who still has not taken his answers then does not take them any more.
          try await Task.sleep(for: .seconds(configuration.limits.shutdownSeconds))
          channel.channels.closeAll()
        }
        try await tasks.next()
        tasks.cancelAll()
      }
      return .success(())
    } catch let error as IOError {
      return .failure(
        ListenError(error, at: .tcp(host: configuration.host, port: configuration.port), option: "--http-port"))
    } catch {
      return .failure(error)
    }
  }

  private func url(of listener: any Channel) -> String {
    let port = listener.localAddress?.port ?? configuration.port
    let address = ListenAddress.tcp(host: configuration.host, port: port)
    return "\(configuration.tls == nil ? "http" : "https")://\(address)/"
  }
}
