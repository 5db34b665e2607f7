import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("over TLS, to a client that is not its own,")
  struct TLSServerTests {
    @Test(
      "keeps what it promises",
      arguments: ["one_shot", "half_closed", "large", "pipelined", "linger", "old", "crowd", "wire"])
    func keepsPromises(_ scenario: String) async throws {
      try await withSecuredServer { try $0.expect(scenario) }
    }

    @Test("ends a silent connection with a goodbye")
    func idle() async throws {
      try await withSecuredServer(["--idle-timeout", "0.5"]) { try $0.expect("idle") }
    }

    @Test("ends a handshake that takes too long, though it drips, and says so in the log of requests")
    func handshakeTimeout() async throws {
      try await withSecuredServer(["--tls-handshake-timeout", "0.5", "--log-level", "info"], complaints: true) {
        server in
        try server.expect("drip")
        try server.waitForLog("it was not done within 0.5 s (--tls-handshake-timeout)")
      }
    }

    @Test("has a place again for each handshake that was given up", arguments: [nil, "0.5"])
    func placesAreFreed(_ timeout: String?) async throws {
      let arguments = timeout.map { ["--tls-handshake-timeout", $0] } ?? []
      try await withSecuredServer(["--max-connections", "20"] + arguments) { server in
        let halfway = try (0..<20).map { _ in try server.process.connect() }
        // One more is closed unanswered: it would cost a handshake to say why.
        let refused = try server.process.connect()
        #expect(try refused.receiveToEnd() == "")
        if timeout == nil {
          for socket in halfway { socket.close() }
        } else {
          for socket in halfway { #expect(try socket.receiveToEnd() == "") }
        }
        // The server may hear of the ends a moment later.
        var attempts = 0
        while try server.start("serial").waitForEnd() != .exited(0), attempts < 100 { attempts += 1 }
        try server.expect("one_shot")
      }
    }

    @Test("waits for the goodbye of a client that is asleep no longer than it was told to")
    func goodbye() async throws {
      let arguments = ["--max-connections", "1", "--idle-timeout", "0.25", "--linger-timeout", "0.5"]
      try await withSecuredServer(arguments) { server in
        let asleep = try server.start("asleep")
        #expect(asleep.readLine() == "ready", "\(asleep.errorOutput)")
        var attempts = 0
        while try server.start("serial").waitForEnd() != .exited(0), attempts < 100 { attempts += 1 }
        #expect(attempts < 100)
        asleep.signal(SIGKILL)
      }
    }

    @Test("tells watches of changes, and of its end")
    func watch() async throws {
      try await withDatabase { database in
        let server = try SecuredServer(database: database)
        let client = try server.start("watch")
        #expect(client.readLine() == "ready", "\(client.errorOutput)")
        #expect(server.process.stop() == .exited(0))
        #expect(client.waitForEnd() == .exited(0), "\(client.errorOutput)")
      }
    }

    @Test("answers what it has received before it ends, and does not wait for clients that are asleep")
    func shutdown() async throws {
      try await withDatabase { database in
        let server = try SecuredServer(database: database)
        let asleep = try server.start("asleep")
        #expect(asleep.readLine() == "ready", "\(asleep.errorOutput)")
        let client = try server.start("shutdown")
        #expect(client.readLine() == "ready", "\(client.errorOutput)")
        #expect(server.process.stop() == .exited(0))
        #expect(client.waitForEnd() == .exited(0), "\(client.errorOutput)")
        let count = client.remainingOutput.trimmingCharacters(in: .newlines)
        let stored = try SQLiteCommand.run(database, "SELECT count(*) FROM documents WHERE collection = '/s/';")
        #expect(stored.output == "\(count)\n")
        asleep.signal(SIGKILL)
      }
    }

    @Test("lets in who has a certificate of the authority, and nobody else")
    func clientCertificates() async throws {
      try await withSecuredServer(["--log-level", "info"], clientsNeedCertificates: true, complaints: true) { server in
        let right = try server.authority.issue("client", names: ["DNS:client"])
        let other = try CertificateAuthority(in: server.folder, name: "other")
        let foreign = try other.issue("foreign", names: ["DNS:client"])
        try server.expect("identities", [right.certificate, right.key, foreign.certificate, foreign.key])
        try server.waitForLog("failed: the client has shown no certificate")
        try server.waitForLog("failed: the client's certificate is signed by nobody in the file of --tls-client-ca")
        let stored = try SQLiteCommand.run(server.process.database, "SELECT count(*) FROM documents;")
        #expect(stored.output == "0\n")
      }
    }

    @Test(
      "answers plain requests to its port with nothing, and is answered by a plain port as anybody is, without noise")
    func mixedUp() async throws {
      try await withSecuredServer { server in
        let answer = try server.process.exchange(#"{"method":"GET","path":"/"}"#)
        #expect(!answer.contains("code"))
        // Nor does a reset overtake the alert that it is answered by, though it goes on sending.
        let talkative = try server.process.connect()
        try talkative.send(Array(repeating: UInt8(ascii: "x"), count: 1 << 20))
        #expect(try !talkative.receiveToEnd().isEmpty)
        for command in [["get", "/n/1"], ["watch", "/n/"]] {
          let client = try Docket.run(command[0], command[1], "--port", "\(server.port)")
          #expect(client.ending == .exited(1) && client.errorLines.count == 1, "\(client.error)")
          #expect(client.error.contains("the server speaks TLS (--tls)"), "\(client.error)")
        }
      }
      try await withSecuredServer(["--log-level", "info"], complaints: true) { server in
        _ = try server.process.exchange(#"{"method":"GET","path":"/"}"#)
        try server.waitForLog("failed: the other side does not speak TLS")
      }
      try await withServer { server in
        let client = try Docket.run("get", "/n/1", "--port", "\(server.port)", "--tls")
        #expect(
          client.ending == .exited(1) && client.error.contains("the other side does not speak TLS"), "\(client.error)")
        #expect(server.complaints == [])
      }
    }

    @Test("and its unix socket stays plain")
    func unixSocket() async throws {
      try await withDatabase { database in
        let path = (database as NSString).deletingLastPathComponent + "/s"
        let server = try SecuredServer(database: database, ["--unix-socket", path])
        let socket = try RawSocket(unixSocket: path)
        try socket.send(#"{"method":"GET","path":"/"}"# + "\0")
        #expect(try socket.receiveToEnd().contains("Hello, World!"))
        #expect(server.process.stop() == .exited(0))
      }
    }
  }
}
