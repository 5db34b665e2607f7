import DocketService
import DocketStore
import DocketWire
import Logging
import NIOCore
import NIOPosix
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
    public var wireLimits: WireLimits
    public var serviceLimits: ServiceLimits
    public var watchLimits: WatchLimits
    public var access: AccessTerms
    /// Whether the server does not start as long as everybody may do everything.
    public var requiresTokens: Bool
    /// How many event loops serve connections.
    public var threads: Int

    public init(
      addresses: [ListenAddress], tls: ServerTLS? = nil, unixSocketAccess: UnixSocketAccess = UnixSocketAccess(),
      limits: ServerLimits = ServerLimits(), wireLimits: WireLimits = WireLimits(),
      serviceLimits: ServiceLimits = ServiceLimits(), watchLimits: WatchLimits = WatchLimits(),
      access: AccessTerms = AccessTerms(), requiresTokens: Bool = false, threads: Int = 1
    ) {
      precondition(!addresses.isEmpty && threads > 0)
      self.addresses = addresses
      self.tls = tls
      self.unixSocketAccess = unixSocketAccess
      self.limits = limits
      self.wireLimits = wireLimits
      self.serviceLimits = serviceLimits
      self.watchLimits = watchLimits
      self.access = access
      self.requiresTokens = requiresTokens
      self.threads = threads
    }
  }

  private let repository: any DocumentRepository
  private let configuration: Configuration
  private let logger: Logger
  private let onReady: @Sendable ([ListenAddress]) -> Void

  /// - Parameter onReady: called once, when connections are taken, with the addresses that are listened on (a port
  ///   that was given as 0 is the real one there).
  public init(
    repository: any DocumentRepository, configuration: Configuration, logger: Logger,
    onReady: @escaping @Sendable ([ListenAddress]) -> Void
  ) {
    self.repository = repository
    self.configuration = configuration
    self.logger = logger
    self.onReady = onReady
  }

  /// Serves until the service group shuts down gracefully, or throws the store's failure. The repository stays open.
  /// - Throws: `ListenError` where an address cannot be listened on; `StoreError` where the store fails.
  public func run() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
    do {
      let loops = try await LoopSet(group: group, repository: repository, configuration: configuration, logger: logger)
      guard !configuration.requiresTokens || !loops.isOpen else { throw ListenError.everybodyMayDoEverything }
      try await serve(on: group, loops)
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
    try await group.shutdownGracefully()
  }

  private func serve(on group: MultiThreadedEventLoopGroup, _ loops: LoopSet) async throws {
    let listeners = try await Listeners(configuration: configuration, group: group, loops: loops, logger: logger)
    onReady(listeners.addresses)
    let failure = await waitForEnd()
    await listeners.close()
    // While there are loops to tell their clients.
    repository.prepareToClose()
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
        try? await repository.waitForFailure()
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }
}
