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

  @Option(help: "Who may use that socket: the mode of its file, in octal.")
  var unixSocketMode = "600"

  @Option(help: "The group of its file, by name or number.")
  var unixSocketGroup: String?

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

  /// - Throws: `CommandFailure` where there is no such group.
  func unixSocketAccess() throws -> UnixSocketAccess {
    guard let mode = mode else { preconditionFailure("check() has been called") }
    guard let name = unixSocketGroup else { return UnixSocketAccess(mode: mode) }
    guard let group = AccountName.groupID(name) else {
      throw CommandFailure("--unix-socket-group: there is no group '\(name)' on this machine")
    }
    return UnixSocketAccess(mode: mode, group: group)
  }

  private var mode: UInt32? {
    UInt32(unixSocketMode, radix: 8).flatMap { $0 <= 0o777 && unixSocketMode.first != "+" ? $0 : nil }
  }

  func check() throws {
    guard mode != nil else {
      throw ValidationError("--unix-socket-mode must be three octal digits such as 660, not '\(unixSocketMode)'")
    }
    guard (0...65535).contains(port) else { throw ValidationError("--port must be from 0 to 65535, not \(port)") }
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be from 1 to 256, not \(threads)") }
    guard unixSocket != nil || (unixSocketMode == "600" && unixSocketGroup == nil) else {
      throw ValidationError("--unix-socket-mode and --unix-socket-group are about the socket's file: add --unix-socket")
    }
    if let unixSocket {
      guard (1...107).contains(unixSocket.utf8.count) else {
        throw ValidationError("--unix-socket must be a path of 1 to 107 bytes")
      }
    }
  }

  /// What holds for listening on a name or address.
  func exposure(of host: String, allowsCleartext: Bool) -> Exposure {
    let isLocal = LoopbackHost.contains(host)
    return Exposure(requiresTokens: !insecure && !isLocal, warnsOfCleartext: !allowsCleartext && !isLocal)
  }

}
