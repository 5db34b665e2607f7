import ArgumentParser
import DocketHTTP
import DocketServer

/// The HTTP port of `docket serve`.
struct HTTPOptions: ParsableArguments {
  @Option(help: "Speak HTTP on this TCP port as well; 0 takes a free one and prints it.")
  var httpPort: Int?

  @Option(help: "The name or address to listen on for HTTP; unless told otherwise that of --host.")
  var httpHost: String?

  @Option(
    name: .customLong("http-allow-host"),
    help: ArgumentHelp(
      "A name under which browsers and clients reach the HTTP port, besides addresses and localhost.", valueName: "name"
    ))
  var allowedHosts: [String] = []

  @Option(
    name: .customLong("http-allow-origin"),
    help: ArgumentHelp(
      "Let the web pages of this origin use the HTTP port, such as https://app.example.", valueName: "origin"))
  var allowedOrigins: [String] = []

  @Option(help: "How many HTTP connections are served at once; a further one gets 503.")
  var httpMaxConnections = HTTPLimits().connections

  @Option(help: "How many threads serve HTTP connections.")
  var httpThreads = Self.usualThreads

  private static let usualThreads = 1

  func validate() throws {
    guard httpPort != nil else {
      let isUsual = httpMaxConnections == HTTPLimits().connections && httpThreads == Self.usualThreads
      guard httpHost == nil, allowedHosts.isEmpty, allowedOrigins.isEmpty, isUsual else {
        throw ValidationError("the options that begin with --http- are about the HTTP port: add --http-port")
      }
      return
    }
    if let httpPort { try check("--http-port", httpPort, 0...65535) }
    try check("--http-max-connections", httpMaxConnections, 1...1_000_000)
    try check("--http-threads", httpThreads, 1...256)
    for host in allowedHosts where host.isEmpty || host.contains(where: { ":/@ ".contains($0) }) {
      throw ValidationError("--http-allow-host takes a name without a port, such as docket.example, not '\(host)'")
    }
    for origin in allowedOrigins where !Self.isOrigin(origin) {
      throw ValidationError(
        "--http-allow-origin takes an origin as browsers write it, such as https://app.example or http://localhost:3000, not '\(origin)'"
      )
    }
  }

  private static func isOrigin(_ text: String) -> Bool {
    guard text == text.lowercased(), text.hasPrefix("http://") || text.hasPrefix("https://") else { return false }
    let host = text.drop { $0 != ":" }.dropFirst(3)
    return !host.isEmpty && !host.contains { "/?#@ ".contains($0) }
  }

  /// - Returns: nil where there is to be no HTTP.
  func configuration(
    _ listening: ListeningOptions, _ clients: ClientLimitOptions, _ access: AccessOptions,
    _ observation: ObservationOptions, tls: ServerTLS?, connections: Int, allowsCleartext: Bool
  ) -> HTTPServer.Configuration? {
    guard let httpPort else { return nil }
    let host = httpHost ?? listening.host
    return HTTPServer.Configuration(
      host: host, port: httpPort, tls: tls,
      limits: HTTPLimits(
        connections: connections, idleSeconds: clients.idleTimeout, requestSeconds: clients.frameTimeout,
        strangerBodyBytes: access.strangerFrameBytes, strangerRequestSeconds: access.strangerFrameTimeout,
        strangerIdleSeconds: access.strangerIdleTimeout, strangerSeconds: access.strangerTimeout,
        shutdownSeconds: clients.shutdownTimeout,
        slowRequestMilliseconds: observation.slowRequestMilliseconds),
      rules: WebRules(hosts: Set(allowedHosts.map { $0.lowercased() }), origins: Set(allowedOrigins)),
      exposure: listening.exposure(of: host, allowsCleartext: allowsCleartext))
  }
}
