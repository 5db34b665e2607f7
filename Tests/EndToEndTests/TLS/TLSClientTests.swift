import DocketClient
import DocketTestSupport
import Foundation
import NIOCore
import Testing

extension EndToEnd {
  @Suite("serves its Swift client over TLS")
  struct TLSClientTests {
    private static func client(of server: SecuredServer, pause: Duration = .milliseconds(50)) throws -> DocketClient {
      let tls = try ClientTLS(trust: .authorities(file: server.authority.certificate))
      return DocketClient(
        .tcp(host: "127.0.0.1", port: server.port),
        configuration: ClientConfiguration(maximumAttempts: 1_000, maximumPause: pause, tls: tls))
    }

    @Test("writes happen once each, and a watch tells each once, while the server is killed and started again")
    func restarts() async throws {
      try await TemporaryDatabase.use { path in
        let first = try await blocking { try SecuredServer(database: path) }
        let client = try Self.client(of: first)
        let count = 300
        let watching = Task {
          var told: [String] = []
          for try await event in client.watch(.collection("/n/"), WatchOptions(from: .since(0))) {
            if case .change(let change) = event { told.append(change.path) }
            if told.count == count { break }
          }
          return told
        }
        let writing = Task {
          for n in 0..<count { try await client.put("/n/\(n)", data: ByteBuffer(string: "\(n)")) }
        }
        let last = try await blocking {
          var server = first
          for round in 0..<5 {
            usleep(60_000)
            #expect(round % 2 == 0 ? server.process.kill() == .signalled(SIGKILL) : server.process.stop() == .exited(0))
            server = try SecuredServer(database: path, port: first.port) { _ in first.identity }
          }
          return server
        }
        try await writing.value
        #expect(try await watching.value == (0..<count).map { "/n/\($0)" })
        await client.close()
        let ending = try await blocking { last.process.stop() }
        #expect(ending == .exited(0))
      }
    }

    @Test("by a name with several addresses, with large documents and many at once")
    func calls() async throws {
      try await TemporaryDatabase.use { path in
        let server = try await blocking { try SecuredServer(database: path) }
        let tls = try ClientTLS(trust: .authorities(file: server.authority.certificate))
        let client = DocketClient(
          .tcp(host: "localhost", port: server.port), configuration: ClientConfiguration(tls: tls))
        let large = ByteBuffer(string: "\"" + String(repeating: "x", count: 1_000_000) + "\"")
        try await client.put("/l/1", data: large)
        try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
          for _ in 0..<20 { group.addTask { try await client.get("/l/1") } }
          for try await answer in group { #expect(answer == large) }
        }
        await client.close()
        let ending = try await blocking { server.process.stop() }
        #expect(ending == .exited(0))
      }
    }

    @Test("believes anybody only where it was told to")
    func acceptAnyServer() async throws {
      try await TemporaryDatabase.use { path in
        let server = try await blocking { try SecuredServer(database: path) }
        for (trust, isBelieved) in [(ClientTLS.Trust.systemRoots, false), (.acceptAnyServer, true)] {
          let client = DocketClient(
            .tcp(host: "127.0.0.1", port: server.port),
            configuration: ClientConfiguration(maximumAttempts: 1, tls: try ClientTLS(trust: trust)))
          if isBelieved {
            try await client.put("/n/1", data: ByteBuffer(string: "1"))
          } else {
            let error = await #expect(throws: DocketClientError.self) {
              try await client.put("/n/1", data: ByteBuffer(string: "1"))
            }
            #expect(error.map { "\($0)".contains("signed by nobody who is trusted here") } == true)
          }
          await client.close()
        }
        let ending = try await blocking { server.process.stop() }
        #expect(ending == .exited(0))
      }
    }

    @Test("is told that a server does not answer its handshake")
    func silentServer() async throws {
      try await ScriptedServer.run { server in
        let connection = try server.accept()
        // Until the client has gone.
        while (try? connection.frame()) != nil {}
      } client: { address in
        let client = DocketClient(
          address,
          configuration: ClientConfiguration(
            connectTimeout: .milliseconds(200), maximumAttempts: 1, tls: try ClientTLS(trust: .acceptAnyServer)))
        let error = await #expect(throws: DocketClientError.self) { try await client.get("/n/1") }
        #expect(error == .notSecured(address, reason: "timed out in the TLS handshake"))
        await client.close()
      }
    }
  }
}
