import ArgumentParser
import CoreMetrics
import DocketHTTP
import DocketSQLite
import DocketServer
import DocketService
import DocketStore
import Glibc
import Logging
import NIOPosix
import ServiceLifecycle

/// `docket serve`: runs the service until a signal ends it.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve the documents of a database file.",
    discussion: """
      Prints one line on standard output when it is ready, and logs to standard error. SIGTERM and SIGINT end it: what \
      was received is answered, the log is written back into the database, and the exit status is 0. SIGHUP makes it read \
      the files of TLS again.
      """)

  @OptionGroup(title: "Where to listen") var listening: ListeningOptions
  @OptionGroup(title: "TLS") var tls: TLSOptions
  @OptionGroup(title: "HTTP") var http: HTTPOptions
  @OptionGroup(title: "The database") var database: StoreOptions
  @OptionGroup(title: "Who may do what") var access: AccessOptions
  @OptionGroup(title: "Backups") var backups: BackupOptions
  @OptionGroup(title: "Limits for clients") var clients: ClientLimitOptions
  @OptionGroup(title: "Limits of the store") var store: StoreLimitOptions
  @OptionGroup(title: "What it tells of itself") var observation: ObservationOptions

  func validate() throws {
    try listening.check()
    if let port = http.httpPort, port != 0, port == listening.port, (http.httpHost ?? listening.host) == listening.host
    {
      throw ValidationError("--port and --http-port are both \(port), and each needs a port of its own")
    }
  }

  func run() async throws {
    if let refusal = AddressSpaceLimit.refusal { throw CommandFailure(refusal) }
    // A file that meets its size limit gives an error then, which is answered, in the place of a signal.
    signal(SIGXFSZ, SIG_IGN)
    // Until it is heeded it must not end the server.
    signal(SIGHUP, SIG_IGN)
    MemoryReturn.begin()
    let logger = observation.logger
    let meters = ServerMeters(version: DocketVersion.current)
    // What libraries count is told as well.
    MetricsSystem.bootstrap(meters.registry)

    let socketAccess = try listening.unixSocketAccess()
    let tls = try tls.load(goodbyeSeconds: clients.lingerTimeout, logger: logger)
    let repository = try open(meters, logger: logger)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await serve(repository, meters, tls, socketAccess, logger: logger))
    } catch {
      outcome = .failure(error)
    }
    // Also where it did not come to serving; behind a failure it knows what it must not touch any more.
    repository.close()
    try outcome.mapError { CommandFailure(endOfServing: $0) }.get()
  }

  private func open(_ meters: ServerMeters, logger: Logger) throws -> SQLiteRepository {
    var options = store.options(database, clients, threads: listening.threads)
    options.tokens.holding = access.maxTokens
    try backups.apply(to: &options)
    try backups.refuseFolder(of: database.database)
    do {
      return try SQLiteRepository.open(
        path: database.database, options: options, logger: logger, metrics: meters.registry)
    } catch {
      throw CommandFailure("\(error)")
    }
  }

  private func serve(
    _ repository: SQLiteRepository, _ meters: ServerMeters, _ tls: ServerTLS?, _ socketAccess: UnixSocketAccess,
    logger: Logger
  ) async throws {
    let store = try await ServedStore(
      repository, wireLimits: clients.wireLimits, serviceLimits: clients.serviceLimits(observation),
      watchLimits: clients.watchLimits, access: try access.terms(), meters: meters)
    // An idle thread costs next to nothing, but one that nobody asked for need not be there.
    let groups = (
      native: Self.loops(listening.threads), http: http.httpPort.map { _ in Self.loops(http.httpThreads) }
    )
    let outcome: Result<Void, any Error>
    do {
      let services = try services(store, groups.native, groups.http, tls, socketAccess, logger: logger)
      var quiet = logger
      quiet.logLevel = max(logger.logLevel, .warning)
      outcome = .success(
        try await ServiceGroup(
          services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet
        ).run())
    } catch {
      outcome = .failure(error)
    }
    // First the store, which must not tell loops anything that have ended; long reads are answered until it is closed.
    await store.close()
    repository.close()
    try await groups.native.shutdownGracefully()
    try await groups.http?.shutdownGracefully()
    try outcome.get()
  }

  private static func loops(_ threads: Int) -> MultiThreadedEventLoopGroup {
    MultiThreadedEventLoopGroup(numberOfThreads: threads, metricsDelegate: LoopTurns.shared)
  }

  private func services(
    _ store: ServedStore, _ group: MultiThreadedEventLoopGroup, _ httpGroup: MultiThreadedEventLoopGroup?,
    _ tls: ServerTLS?, _ socketAccess: UnixSocketAccess, logger: Logger
  ) throws -> [any Service] {
    let wanted = clients.maxConnections + (httpGroup == nil ? 0 : http.httpMaxConnections)
    let connections = DescriptorLimit.raise(forConnections: wanted, logger: logger)
    // Where there are too few, each has its share.
    let httpConnections = max(1, connections * http.httpMaxConnections / wanted)
    let ready = readyReport(of: httpGroup == nil ? 1 : 2, logger: logger)
    var services: [any Service] = [ReloadService(tls: tls, logger: logger), MemoryReturn()]
    services.append(
      DocketServer(
        store, on: group,
        configuration: DocketServer.Configuration(
          addresses: listening.addresses, tls: tls, unixSocketAccess: socketAccess,
          limits: clients.serverLimits(
            connections: httpGroup == nil ? connections : max(1, connections - httpConnections), access,
            observation),
          exposure: listening.exposure(of: listening.host, allowsCleartext: self.tls.allowCleartext)),
        logger: logger
      ) { addresses in ready.add(addresses.map(\.description).joined(separator: " and "), at: 0) })
    if let httpGroup,
      let configuration = http.configuration(
        listening, clients, access, observation, tls: tls, connections: httpConnections,
        allowsCleartext: self.tls.allowCleartext)
    {
      services.append(
        HTTPServer(store, on: httpGroup, configuration: configuration, logger: logger) { ready.add($0, at: 1) })
    }
    return services
  }

  private func readyReport(of count: Int, logger: Logger) -> ReadyReport {
    let notification = ReadyNotification(environment: ProcessEnvironment.variables())
    return ReadyReport(of: count) { [file = database.database] places in
      // Not before it serves: a server that does not start says why, and nothing else.
      if SQLiteVersion.mustNotShareCheckpoints {
        logger.notice(
          "SQLite \(SQLiteVersion.current): while a file is served, open it with docket sql rather than sqlite3, which may write the log back at the same instant as the server; versions up to 3.51.2 can damage the log then."
        )
      }
      let places = places.joined(separator: " and ")
      do {
        try StandardStream.output.writeLine("docket: listening on \(places), database \(file)")
      } catch {
        logger.warning("Standard output takes nothing; listening on \(places), database \(file).")
      }
      do {
        try notification?.send(status: "Listening on \(places).")
      } catch {
        logger.warning("\(error)")
      }
    }
  }
}

extension CommandFailure {
  /// Why serving came to an end that nobody asked for.
  init(endOfServing error: any Error) {
    switch error as? StoreError {
    case .outcomeUnknown(let reason):
      self.init(
        "a write could not be put on disk: \(reason); start the server again: what was acknowledged is there, and what was answered outcome_unknown may be"
      )
    case .failed(let reason): self.init("the store failed: \(reason); start the server again")
    default: self.init("\(error)")
    }
  }
}
