import ArgumentParser
import DocketServer
import Logging

/// The TLS of the TCP port. The names are others than those of `ServerOptions`, so that one environment serves both.
struct TLSOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The server's certificate, and those between it and a root, as PEM: the TCP port speaks TLS, and nothing else.",
      valueName: "file"))
  var tlsCertificate: String?

  @Option(help: ArgumentHelp("The certificate's key, as PEM, without a passphrase.", valueName: "file"))
  var tlsKey: String?

  @Option(
    help: ArgumentHelp(
      "Clients must show a certificate that is signed by one of these, as PEM.", valueName: "file"))
  var tlsClientCa: String?

  @Flag(
    help:
      "Do not warn where tokens come from other machines without TLS: something else encrypts the way, such as a tunnel."
  )
  var allowCleartext = false

  @Option(help: "How many seconds a TLS handshake may take.")
  var tlsHandshakeTimeout = 5.0

  func validate() throws {
    guard (tlsCertificate == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-certificate and --tls-key go together")
    }
    guard tlsClientCa == nil || tlsCertificate != nil else {
      throw ValidationError("--tls-client-ca goes with --tls-certificate and --tls-key")
    }
    try check("--tls-handshake-timeout", tlsHandshakeTimeout, 0.05...3600)
  }

  /// Reads the files, if there are any, and warns of what should be mended in them.
  /// - Parameter goodbyeSeconds: how long a client's goodbye is waited for.
  func load(goodbyeSeconds: Double, logger: Logger) throws -> ServerTLS? {
    guard let tlsCertificate, let tlsKey else { return nil }
    do {
      let tls = try ServerTLS(
        ServerTLS.Files(certificate: tlsCertificate, key: tlsKey, clientAuthorities: tlsClientCa),
        handshakeSeconds: tlsHandshakeTimeout, goodbyeSeconds: goodbyeSeconds)
      for warning in tls.loaded.warnings { logger.warning("\(warning)") }
      return tls
    } catch {
      throw CommandFailure("\(error)")
    }
  }
}
