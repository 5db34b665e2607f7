import ArgumentParser
import DocketClient

/// Which server a command speaks to, and how long it waits.
struct ServerOptions: ParsableArguments {
  @Option(help: "The server's name or address.")
  var host = Self.usualHost

  @Option(help: "The server's TCP port.")
  var port = Self.usualPort

  @Option(help: ArgumentHelp("The server's Unix domain socket, instead of host and port.", valueName: "path"))
  var unixSocket: String?

  @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds"))
  var timeout = 30.0

  @Flag(help: "Speak TLS. The server's certificate must be one that this machine trusts, and have its name.")
  var tls = false

  @Option(
    help: ArgumentHelp("Whom to trust instead: a file of certificates, as PEM. Implies --tls.", valueName: "file"))
  var tlsCa: String?

  @Option(
    help: ArgumentHelp(
      "The name in the server's certificate, if that is not the host. Implies --tls.", valueName: "name"))
  var tlsServerName: String?

  @Option(
    help: ArgumentHelp(
      "A certificate to show to the server, as PEM, with --tls-client-key. Implies --tls.", valueName: "file"))
  var tlsClientCertificate: String?

  @Option(help: ArgumentHelp("The key that belongs to it, as PEM, without a passphrase.", valueName: "file"))
  var tlsClientKey: String?

  @Option(
    help: ArgumentHelp(
      "A file with the access token to show. Without it the token is taken from the variable DOCKET_TOKEN. (There is no --token: what stands on a command line is seen by all who use the machine.)",
      valueName: "file"))
  var tokenFile: String?

  @Flag(
    help:
      "Do not warn where the token goes to another machine without TLS: something else encrypts the way, such as a tunnel."
  )
  var allowCleartext = false

  func validate() throws {
    guard (tlsClientCertificate == nil) == (tlsClientKey == nil) else {
      throw ValidationError("--tls-client-certificate and --tls-client-key go together")
    }
    guard unixSocket == nil || !speaksTLS else {
      throw ValidationError("\(tlsOption) is for TCP, and --unix-socket is not encrypted; leave one of them out")
    }
    guard unixSocket?.isEmpty != true else { throw ValidationError("--unix-socket is empty; name the socket's path") }
    guard (1...65535).contains(port) else { throw ValidationError("--port must be from 1 to 65535") }
    guard timeout > 0, timeout <= 86400 else { throw ValidationError("--timeout must be above 0 and at most 86400") }
  }

  var address: ServerAddress {
    unixSocket.map { .unixSocket(path: $0) } ?? .tcp(host: host, port: port)
  }

  /// Whether it is the one that is meant where nothing is said.
  var isDefaultAddress: Bool {
    unixSocket == nil && host == Self.usualHost && port == Self.usualPort && !speaksTLS
  }

  private static let usualHost = "127.0.0.1"
  private static let usualPort = 12000

  private var speaksTLS: Bool { tls || tlsCa != nil || tlsServerName != nil || tlsClientCertificate != nil }

  /// One of the options that ask for TLS.
  private var tlsOption: String {
    if tls { return "--tls" }
    if tlsCa != nil { return "--tls-ca" }
    return tlsServerName != nil ? "--tls-server-name" : "--tls-client-certificate"
  }

  /// The TLS that was asked for, if any. Reads files.
  func tlsForTCP() throws -> ClientTLS? {
    guard speaksTLS else { return nil }
    do {
      return try ClientTLS(
        trust: tlsCa.map { .authorities(file: $0) } ?? .systemRoots,
        identity: tlsClientCertificate.flatMap { certificate in
          tlsClientKey.map { ClientTLS.Identity(certificateFile: certificate, keyFile: $0) }
        },
        serverName: tlsServerName)
    } catch {
      throw CommandFailure("\(error)")
    }
  }

  /// The access token that was given, if any. Reads a file, and warns where others will be able to read what it says.
  func token() throws(CommandFailure) -> String? {
    let token = try GivenToken.find(file: tokenFile, environment: ProcessEnvironment.variables())
    if token != nil, isReadableOnTheWay, !allowCleartext { GivenToken.warnOfCleartext(to: address) }
    return token
  }

  private var isReadableOnTheWay: Bool { unixSocket == nil && !speaksTLS && !LoopbackHost.contains(host) }

  /// Runs `body` with a client and closes it. Errors of the client become those of a command.
  ///
  /// - Parameters:
  ///   - maximumAttempts: one where somebody waits in front of a terminal, or a script knows better.
  ///   - requestTimeout: in seconds, where that is not the one that was asked for.
  func withClient<Value: Sendable>(
    maximumAttempts: Int = 1, requestTimeout: Double? = nil, _ body: (DocketClient) async throws -> Value
  ) async throws -> Value {
    let client = DocketClient(
      address,
      configuration: ClientConfiguration(
        connectTimeout: .seconds(min(timeout, 5)), requestTimeout: .seconds(requestTimeout ?? timeout),
        maximumAttempts: maximumAttempts, tls: try tlsForTCP(), token: try token()))
    let result: Result<Value, any Error>
    do {
      result = .success(try await body(client))
    } catch let error as DocketClientError {
      result = .failure(CommandFailure(error))
    } catch {
      result = .failure(error)
    }
    await client.close()
    return try result.get()
  }
}

extension CommandFailure {
  init(_ error: DocketClientError) {
    switch error {
    case .connectionFailed(let address, _):
      self.init("\(error) (is docket serve running on \(address)?)", isOfConnection: true)
    case .invalidDocument, .invalidFrame, .invalidNumber: self.init("\(error)", status: .usage)
    case .refused(let refusal) where refusal.error == nil && refusal.code == 400:
      self.init(
        "\(error): a document's path has two segments or more, such as /notes/42; a collection's ends with a slash")
    case .refused(let refusal) where refusal.error == nil && refusal.code == 422:
      self.init("\(error): the server could not read this as a request, a JSON object with method and path")
    case .refused(let refusal) where refusal.code == 401:
      let text = refusal.description
      self.init(
        "\(text.utf8.last == UInt8(ascii: ".") ? String(text.dropLast()) : text) (\(GivenToken.hint))"
      )
    default: self.init("\(error)")
    }
  }
}
