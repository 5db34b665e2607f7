import DocketService
import DocketStore
import Logging
import NIOCore
import ServiceLifecycle

/// The socket front end: listens, and serves connections until it is told to end or the store fails.
public struct DocketServer: Service {
  public struct Configuration: Sendable {
    /// Where to listen. At least one.
    public var addresses: [ListenAddress]
    /// If given, all TCP addresses speak TLS and nothing else. Unix sockets stay as they are.
    public var tls: ServerTLS?
    /// Who may use the unix sockets.
    public var unixSocketAccess: UnixSocketAccess
    public var limits: ServerLimits
    /// Of the TCP addresses.
    public var exposure: Exposure

    public init(
      addresses: [ListenAddress], tls: ServerTLS? = nil, unixSocketAccess: UnixSocketAccess = UnixSocketAccess(),
      limits: ServerLimits = ServerLimits(), exposure: Exposure = Exposure()
    ) {
      precondition(!addresses.isEmpty)
      self.addresses = addresses
      self.tls = tls
      self.unixSocketAccess = unixSocketAccess
      self.limits = limits
      self.exposure = exposure
    }
  }

  private let store: ServedStore
  private let group: any EventLoopGroup
  private let configuration: Configuration
  private let logger: Logger
  private let onReady: @Sendable ([ListenAddress]) -> Void

  /// - Parameters:
  ///   - group: the event loops that serve connections; to be shut down once the store is closed.
  ///   - onReady: called once, when connections are taken, with the addresses that are listened on (a port
  ///     that was given as 0 is the real one there).
  public init(
    _ store: ServedStore, on group: any EventLoopGroup, configuration: Configuration, logger: Logger,
    onReady: @escaping @Sendable ([ListenAddress]) -> Void
  ) {
    self.store = store
    self.group = group
    self.configuration = configuration
    self.logger = logger
    self.onReady = onReady
  }

  /// Serves until the service group shuts down gracefully, or throws the store's failure. The store stays as it is.
  /// - Throws: `ListenError` where an address cannot be listened on; `StoreError` where the store fails.
  public func run() async throws {
    try configuration.exposure.check(store.gate)
    let loops = try await LoopSet(group: group, store: store, limits: configuration.limits, logger: logger)
    let listeners: Listeners
    do {
      listeners = try await Listeners(
        configuration: configuration, group: group, loops: loops,
        meters: store.meters.connections(protocol: "native"), logger: logger)
    } catch {
      await loops.finish(within: 0)
      throw error
    }
    configuration.exposure.warn(of: "over the native port", store.gate, tls: configuration.tls, logger)
    onReady(listeners.addresses)
    let failure = await waitForEnd()
    await listeners.close()
    // While there are loops to tell their clients.
    store.prepareToClose()
    await loops.finish(within: configuration.limits.shutdownSeconds)
    if let failure { throw failure }
  }

  /// Waits for the graceful shutdown, or for the store to fail: then the failure.
  private func waitForEnd() async -> StoreError? {
    await withTaskGroup(of: StoreError?.self) { group in
      group.addTask {
        try? await gracefulShutdown()
        return nil
      }
      group.addTask {
        try? await store.repository.waitForFailure()
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }
}
