import ArgumentParser
import DocketServer
import NIOCore

/// Where `docket serve` listens.
struct ListeningOptions: ParsableArguments {
  @Option(help: "The name or address to listen on. Other than loopback needs tokens (docket token), or --insecure.")
  var host = "127.0.0.1"

  @Option(help: "The TCP port; 0 takes a free one and prints it.")
  var port = 12000

  @Option(help: "The path of a unix socket to listen on as well.")
  var unixSocket: String?

  @Flag(
    help:
      "Listen on other addresses than loopback also without tokens: anybody who reaches them may read and change everything."
  )
  var insecure = false

  @Option(
    help:
      "How many threads serve connections; unless told otherwise as many as there are cores but one, which is the writer's, up to 4."
  )
  var threads = max(1, min(4, System.coreCount - 1))

  var addresses: [ListenAddress] {
    [.tcp(host: host, port: port)] + (unixSocket.map { [.unixSocket(path: $0)] } ?? [])
  }

  func check() throws {
    guard (0...65535).contains(port) else { throw ValidationError("--port must be from 0 to 65535, not \(port)") }
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be from 1 to 256, not \(threads)") }
    if let unixSocket {
      guard (1...107).contains(unixSocket.utf8.count) else {
        throw ValidationError("--unix-socket must be a path of 1 to 107 bytes")
      }
    }
  }

  /// Whether a server without tokens may listen here.
  var isForEverybody: Bool { insecure || isLoopback }

  private var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return parts.count == 4 && parts[0] == 127 && !parts.contains(nil)
  }
}
