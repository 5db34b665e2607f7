import DocketTestSupport
import Foundation

/// A persistent session of somebody with a token, or without.
final class AccessClient {
  let socket: RawSocket

  /// - Parameter token: shown with the first request, and with no other.
  init(_ server: ServerProcess, token: String? = nil) throws {
    socket = try server.connect()
    _ = try begin(token)
  }

  init(unixSocket path: String, token: String? = nil) throws {
    socket = try RawSocket(unixSocket: path)
    _ = try begin(token)
  }

  private func begin(_ token: String?) throws -> WatchedFrame? {
    var headers = #""Connection":"keep-alive""#
    if let token { headers += #","Authorization":"Bearer \#(token)""# }
    return try answer(#"{"method":"GET","path":"/_health","headers":{\#(headers)}}"#)
  }

  func send(_ request: String) throws { try socket.send(request + "\0") }

  /// The next frame; nil where the connection has ended.
  func next() throws -> WatchedFrame? { try socket.receiveFrame().map { try WatchedFrame($0) } }

  func answer(_ request: String) throws -> WatchedFrame? {
    try send(request)
    return try next()
  }

  /// Sends a request without data, and returns the code of its answer.
  func code(_ method: String, _ path: String, data: String? = nil, token: String? = nil) throws -> Int? {
    var request = #"{"method":"\#(method)","path":"\#(path)""#
    if let data { request += #","data":\#(data)"# }
    if let token { request += #","headers":{"Authorization":"Bearer \#(token)"}"# }
    return try answer(request + "}")?.code
  }

  /// Has a token made, and returns its text.
  func makeToken(_ name: String, _ rules: [String], expiresIn seconds: Int? = nil) throws -> String {
    let list = rules.map { "\"\($0)\"" }.joined(separator: ",")
    let lifetime = seconds.map { ",\"expiresIn\":\($0)" } ?? ""
    let request = #"{"method":"POST","path":"/_tokens/","data":{"name":"\#(name)","allow":[\#(list)]\#(lifetime)}}"#
    guard let frame = try answer(request), frame.code == 201, let token = frame.token else {
      throw ChildProcess.Failure(description: "no token was made")
    }
    return token
  }
}

extension ServerProcess {
  /// Makes the first token, which shuts the server to all others, and returns a session that has it.
  func shut() throws -> (admin: AccessClient, token: String) {
    let token = try AccessClient(self).makeToken("admin", ["admin"])
    return (try AccessClient(self, token: token), token)
  }
}
