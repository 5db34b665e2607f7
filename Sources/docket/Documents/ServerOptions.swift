import ArgumentParser
import DocketClient

/// Which server a command speaks to, and how long it waits.
struct ServerOptions: ParsableArguments {
  @Option(help: "The server's name or address.")
  var host = "127.0.0.1"

  @Option(help: "The server's TCP port.")
  var port = 12000

  @Option(help: ArgumentHelp("The server's Unix domain socket, instead of host and port.", valueName: "path"))
  var unixSocket: String?

  @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds"))
  var timeout = 30.0

  func validate() throws {
    guard (1...65535).contains(port) else { throw ValidationError("--port must be from 1 to 65535") }
    guard timeout > 0, timeout <= 86400 else { throw ValidationError("--timeout must be above 0 and at most 86400") }
  }

  var address: ServerAddress {
    unixSocket.map { .unixSocket(path: $0) } ?? .tcp(host: host, port: port)
  }

  /// Runs `body` with a client and closes it. Errors of the client become those of a command.
  ///
  /// - Parameter maximumAttempts: one where somebody waits in front of a terminal, or a script knows better.
  func withClient<Value: Sendable>(
    maximumAttempts: Int = 1, _ body: @Sendable (DocketClient) async throws -> Value
  ) async throws -> Value {
    let client = DocketClient(
      address,
      configuration: ClientConfiguration(
        connectTimeout: .seconds(min(timeout, 5)), requestTimeout: .seconds(timeout),
        maximumAttempts: maximumAttempts))
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
    case .connectionFailed(let address, _): self.init("\(error) (is docket serve running on \(address)?)")
    case .invalidDocument, .invalidFrame, .invalidNumber: self.init("\(error)", status: .usage)
    case .refused(let refusal) where refusal.error == nil && refusal.code == 400:
      self.init(
        "\(error): a document's path has two segments or more, such as /notes/42; a collection's ends with a slash")
    case .refused(let refusal) where refusal.error == nil && refusal.code == 422:
      self.init("\(error): the server could not read this as a request, a JSON object with method and path")
    default: self.init("\(error)")
    }
  }
}
