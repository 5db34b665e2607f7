import ArgumentParser
import DocketSQLite
import DocketServer
import DocketStore
import Glibc
import Logging
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
  @OptionGroup(title: "The database") var database: StoreOptions
  @OptionGroup(title: "Who may do what") var access: AccessOptions
  @OptionGroup(title: "Backups") var backups: BackupOptions
  @OptionGroup(title: "Limits for clients") var clients: ClientLimitOptions
  @OptionGroup(title: "Limits of the store") var store: StoreLimitOptions

  @Option(help: "What is logged: trace, debug, info (each request), notice, warning, error or critical.")
  var logLevel: Logger.Level = .notice

  func validate() throws {
    try listening.check()
  }

  func run() async throws {
    // A file that meets its size limit gives an error then, which is answered, in the place of a signal.
    signal(SIGXFSZ, SIG_IGN)
    // Until it is heeded it must not end the server.
    signal(SIGHUP, SIG_IGN)
    var logger = Logger(label: "docket", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = logLevel

    let socketAccess = try listening.unixSocketAccess()
    let tls = try tls.load(goodbyeSeconds: clients.lingerTimeout, logger: logger)
    let repository = try open(logger: logger)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await serve(repository, tls, socketAccess, logger: logger))
    } catch {
      outcome = .failure(error)
    }
    // Also behind a failure: it knows what it must not touch any more.
    repository.close()
    try outcome.mapError { CommandFailure("\($0)") }.get()
  }

  private func open(logger: Logger) throws -> SQLiteRepository {
    var options = store.options(database, clients, threads: listening.threads)
    options.tokens.holding = access.maxTokens
    try backups.apply(to: &options)
    try backups.refuseFolder(of: database.database)
    do {
      return try SQLiteRepository.open(path: database.database, options: options, logger: logger)
    } catch {
      throw CommandFailure("\(error)")
    }
  }

  private func serve(
    _ repository: SQLiteRepository, _ tls: ServerTLS?, _ socketAccess: UnixSocketAccess, logger: Logger
  ) async throws {
    let connections = DescriptorLimit.raise(forConnections: clients.maxConnections, logger: logger)
    let notification = ReadyNotification(environment: ProcessEnvironment.variables())
    let server = DocketServer(
      repository: repository,
      configuration: DocketServer.Configuration(
        addresses: listening.addresses, tls: tls, unixSocketAccess: socketAccess,
        limits: clients.serverLimits(connections: connections, access), wireLimits: clients.wireLimits,
        serviceLimits: clients.serviceLimits, watchLimits: clients.watchLimits, access: try access.terms(),
        requiresTokens: !listening.isForEverybody,
        warnsOfCleartext: !listening.isLoopback && !self.tls.allowCleartext, threads: listening.threads),
      logger: logger
    ) { [file = database.database] addresses in
      // Not before it serves: a server that does not start says why, and nothing else.
      if SQLiteVersion.mustNotShareCheckpoints {
        logger.notice(
          "SQLite \(SQLiteVersion.current): while a file is served, open it with docket sql rather than sqlite3, which may write the log back at the same instant as the server; versions up to 3.51.2 can damage the log then."
        )
      }
      let places = addresses.map(\.description).joined(separator: " and ")
      // If nobody reads standard output any more, there is nobody to tell.
      try? StandardStream.output.writeLine("docket: listening on \(places), database \(file)")
      do {
        try notification?.send(status: "Listening on \(places).")
      } catch {
        logger.warning("\(error)")
      }
    }
    var quiet = logger
    quiet.logLevel = max(logLevel, .warning)
    try await ServiceGroup(
      services: [ReloadService(tls: tls, logger: logger), server], gracefulShutdownSignals: [.sigterm, .sigint],
      logger: quiet
    ).run()
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
