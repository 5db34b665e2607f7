import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("at SIGHUP")
  struct TLSReloadTests {
    private static func replace(_ identity: CertificateAuthority.Identity, by other: CertificateAuthority.Identity)
      throws
    {
      for (old, new) in [(identity.certificate, other.certificate), (identity.key, other.key)] {
        try Data(contentsOf: URL(fileURLWithPath: new)).write(to: URL(fileURLWithPath: old))
      }
    }

    @Test("shows new connections a new certificate, and no request is lost")
    func swapped() async throws {
      try await withSecuredServer { server in
        let old = try server.expect("serial")
        let clients = try server.start("load", ["3"])
        #expect(clients.readLine() == "ready", "\(clients.errorOutput)")
        for round in 0..<4 {
          try Self.replace(server.identity, by: try server.authority.issue("next\(round)"))
          let before = server.process.process.errorOutput.components(separatedBy: "SIGHUP: new connections").count
          server.process.process.signal(SIGHUP)
          while server.process.process.errorOutput.components(separatedBy: "SIGHUP: new connections").count == before {
            usleep(10_000)
          }
        }
        #expect(try server.expect("serial") != old)
        #expect(clients.waitForEnd() == .exited(0), "\(clients.errorOutput)")
        #expect(clients.remainingOutput != "1\n")
        #expect(server.process.process.errorOutput.contains(/which is valid until 20\d\d-\d\d-\d\d\./))
      }
    }

    @Test(
      "keeps what it has when the new files cannot be used, and says why",
      arguments: ["missing", "garbage", "unfitting", "encrypted", "expired", "early"])
    func kept(_ mistake: String) async throws {
      try await withSecuredServer(complaints: true) { server in
        let old = try server.expect("serial")
        let next = try server.authority.issue("next")
        let message: String
        switch mistake {
        case "missing":
          try FileManager.default.removeItem(atPath: server.identity.certificate)
          message = "cannot read \(server.identity.certificate): No such file or directory"
        case "expired", "early":
          let years = mistake == "early" ? ("2090", "2091") : ("2020", "2021")
          let untimely = try server.authority.issue(
            mistake, dates: ("\(years.0)0101000000Z", "\(years.1)0101000000Z"))
          for (from, to) in [(untimely.certificate, server.identity.certificate), (untimely.key, server.identity.key)] {
            try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to))
          }
          message = mistake == "early" ? "is not valid before 2090-01-01" : "has expired on 2021-01-01"
        case "garbage":
          try Data("garbage".utf8).write(to: URL(fileURLWithPath: server.identity.key))
          message = "is no private key in PEM form"
        case "unfitting":
          try Data(contentsOf: URL(fileURLWithPath: next.certificate))
            .write(to: URL(fileURLWithPath: server.identity.certificate))
          message = "does not belong to the first certificate"
        default:
          try server.authority.openssl([
            "pkcs8", "-topk8", "-in", next.key, "-out", server.identity.key, "-passout", "pass:secret",
          ])
          message = "is encrypted; store it without its passphrase"
        }
        server.process.process.signal(SIGHUP)
        try server.waitForLog(" SIGHUP: the certificate stays as it was: ")
        #expect(server.process.complaints.count == 1 && server.process.complaints[0].contains(" error docket: "))
        #expect(server.process.process.errorOutput.contains(message), "\(server.process.process.errorOutput)")
        #expect(try server.expect("serial") == old)
      }
    }

    @Test("takes another authority for clients: those of the old one are let in no more")
    func authority() async throws {
      try await withSecuredServer(clientsNeedCertificates: true) { server in
        let client = try server.authority.issue("client", names: ["DNS:client"])
        let options = ["--tls-client-certificate", client.certificate, "--tls-client-key", client.key]
        func get() throws -> Docket.Result {
          try server.run("echo", "1", options[0], options[1], options[2], options[3])
        }
        #expect(try get().ending == .exited(0))
        let trusted = server.folder + "/trusted.pem"
        try FileManager.default.copyItem(atPath: server.authority.certificate, toPath: trusted)
        let other = try CertificateAuthority(in: server.folder, name: "other")
        try Data(contentsOf: URL(fileURLWithPath: other.certificate))
          .write(to: URL(fileURLWithPath: server.authority.certificate))
        server.process.process.signal(SIGHUP)
        try server.waitForLog("SIGHUP: new connections")
        let refused = try Docket.run(
          "echo", "1", "--port", "\(server.port)", "--tls-ca", trusted, options[0], options[1], options[2], options[3])
        #expect(
          refused.ending == .exited(1) && refused.error.contains("who has signed the client's certificate"),
          "\(refused)")
      }
    }

    @Test("serves on where there is no TLS, and says so")
    func plain() async throws {
      try await withServer { (server) throws in
        server.process.signal(SIGHUP)
        for _ in 0..<6000 where !server.process.errorOutput.contains("SIGHUP: nothing is read again") { usleep(10_000) }
        #expect(server.process.errorOutput.contains("SIGHUP: nothing is read again"))
        #expect(server.complaints == [])
        #expect(try server.exchange(#"{"method":"GET","path":"/"}"#).contains("Hello, World!"))
      }
    }
  }
}
