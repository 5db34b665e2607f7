import DocketClient
import DocketTestSupport
import Foundation
import Testing

/// A server whose port speaks TLS, and the authority that has signed its certificate, in a folder of their own.
struct SecuredServer: Sendable {
  let process: ServerProcess
  let authority: CertificateAuthority
  let identity: CertificateAuthority.Identity
  let folder: String

  var port: Int { process.port }

  /// - Parameter identity: the server's; nil makes one for `localhost` and 127.0.0.1.
  init(
    database: String, port: Int = 0, _ arguments: [String] = [], clientsNeedCertificates: Bool = false,
    identity: (CertificateAuthority) throws -> CertificateAuthority.Identity = { try $0.issue("server") }
  ) throws {
    folder = (database as NSString).deletingLastPathComponent
    authority = try CertificateAuthority(in: folder)
    self.identity = try identity(authority)
    process = try ServerProcess(
      database: database, port: port,
      ["--tls-certificate", self.identity.certificate, "--tls-key", self.identity.key]
        + (clientsNeedCertificates ? ["--tls-client-ca", authority.certificate] : []) + arguments)
  }

  /// What a command needs to speak to it.
  var options: [String] { ["--port", "\(port)", "--tls-ca", authority.certificate] }

  /// Runs a command that speaks to it.
  func run(_ arguments: String...) throws -> Docket.Result {
    let process = try ChildProcess(Docket.path, arguments + options)
    let ending = process.waitForEnd()
    return Docket.Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
  }

  /// Starts a scenario of `tls_client.py`.
  func start(_ scenario: String, _ more: [String] = []) throws -> ChildProcess {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("tls_client.py")
    return try ChildProcess(
      "env", ["python3", script.path, scenario, "\(port)", authority.certificate] + more)
  }

  /// Runs a scenario of `tls_client.py`, and expects that it finds what is promised.
  /// - Returns: what it says.
  @discardableResult
  func expect(_ scenario: String, _ more: [String] = []) throws -> String {
    let client = try start(scenario, more)
    #expect(client.waitForEnd() == .exited(0), "\(scenario): \(client.errorOutput)")
    return client.remainingOutput.trimmingCharacters(in: .newlines)
  }

  /// Waits until a line of the log says something.
  func waitForLog(_ text: String) throws {
    for _ in 0..<6000 {
      if process.process.errorOutput.contains(text) { return }
      usleep(10_000)
    }
    throw ChildProcess.Failure(description: "no '\(text)' in the log: \(process.process.errorOutput)")
  }
}

/// Calls `body`, which may block, with a server that speaks TLS; ends it as an operator does.
/// - Parameter complaints: whether it may have logged anything that an operator should look at.
func withSecuredServer(
  _ arguments: [String] = [], clientsNeedCertificates: Bool = false, complaints: Bool = false,
  _ body: @escaping @Sendable (SecuredServer) throws -> Void
) async throws {
  try await withDatabase { database in
    let server = try SecuredServer(
      database: database, arguments, clientsNeedCertificates: clientsNeedCertificates)
    try body(server)
    #expect(server.process.stop() == .exited(0))
    if !complaints { #expect(server.process.complaints == []) }
  }
}
