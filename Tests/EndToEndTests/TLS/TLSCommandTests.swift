import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("has commands that speak TLS")
  struct TLSCommandTests {
    @Test("and do over it what they do")
    func commands() async throws {
      try await withSecuredServer { server in
        #expect(try server.run("put", "/n/1", #"{"a": 1}"#).ending == .exited(0))
        #expect(try server.run("get", "/n/1").output == "{\"a\": 1}\n")
        let file = server.folder + "/documents.ndjson"
        let exported = try server.run("export", "--output", file)
        #expect(exported.ending == .exited(0), "\(exported.error)")
        #expect(try server.run("delete", "/n/1").ending == .exited(0))
        let imported = try server.run("import", file)
        #expect(imported.ending == .exited(0), "\(imported.error)")
        #expect(try server.run("get", "/n/1").output == "{\"a\": 1}\n")
        let watched = try server.run("watch", "/n/", "--snapshot", "--limit", "1")
        #expect(watched.ending == .exited(0) && watched.output.contains("/n/1"), "\(watched)")
        for workload in ["put", "get", "one-shot", "watch"] {
          let bench = try server.run(
            "bench", "--workload", workload, "--requests", "50", "--connections", "4", "--keys", "10", "--json")
          #expect(bench.ending == .exited(0), "\(workload): \(bench.error)")
        }
      }
    }

    @Test("and say what is wrong with a server's certificate, and how to mend it")
    func unverified() async throws {
      let dates = [
        (
          "expired", ("20200101000000Z", "20210101000000Z"),
          "its certificate has expired on 2021-01-01; it needs a new one"
        ),
        (
          "early", ("20900101000000Z", "20910101000000Z"),
          "its certificate is not valid before 2090-01-01; is the clock"
        ),
      ]
      try await withDatabase { database in
        for (name, dates, message) in dates {
          let server = try SecuredServer(database: database) { try $0.issue(name, dates: dates) }
          for command in [["get", "/n/1"], ["watch", "/n/"], ["bench", "--filled"]] {
            Self.expectFailure(try Self.run(command + server.options), message)
          }
          #expect(server.process.stop() == .exited(0))
        }
        let named = try SecuredServer(database: database) {
          try $0.issue("named", names: ["DNS:docket.example", "IP:10.0.0.1"])
        }
        for command in [["get", "/n/1"], ["watch", "/n/"], ["bench", "--filled"]] {
          Self.expectFailure(
            try Self.run(command + named.options), "another name (docket.example, 10.0.0.1)", "--tls-server-name")
        }
        #expect(try named.run("echo", "1", "--tls-server-name", "docket.example").ending == .exited(0))
        Self.expectFailure(try named.run("echo", "1", "--tls-server-name", "other.example"), "another name")
        let other = try CertificateAuthority(in: named.folder, name: "other")
        let foreign = ["get", "/n/1", "--port", "\(named.port)"]
        for trust in [["--tls"], ["--tls-ca", other.certificate]] {
          Self.expectFailure(
            try Self.run(foreign + trust + ["--tls-server-name", "docket.example"]),
            "signed by nobody who is trusted here",
            "--tls-ca")
        }
        #expect(named.process.stop() == .exited(0))
        #expect(named.process.complaints == [])
        // A name is not proven by the address that it leads to, nor by a name that only begins alike.
        let addressed = try SecuredServer(database: database) {
          try $0.issue("addressed", names: ["IP:127.0.0.1", "DNS:*.docket.example"])
        }
        #expect(try addressed.run("echo", "1", "--host", "127.0.0.1").ending == .exited(0))
        #expect(try addressed.run("echo", "1", "--tls-server-name", "db.docket.example").ending == .exited(0))
        for name in ["localhost", "docket.example", "a.b.docket.example", "db.docket.example.org"] {
          for command in [["get", "/n/1"], ["watch", "/n/"], ["bench", "--filled"]] {
            Self.expectFailure(
              try Self.run(command + addressed.options + ["--tls-server-name", name]), "another name")
          }
        }
        #expect(addressed.process.stop() == .exited(0))
      }
    }

    @Test(
      "and say when a server wants a certificate of them, or another one",
      arguments: ["get", "put", "watch", "bench", "request"])
    func clientCertificate(_ name: String) async throws {
      try await withSecuredServer(clientsNeedCertificates: true) { server in
        let file = server.folder + "/large.json"
        // It goes on sending while the server says no.
        try Data(("\"" + String(repeating: "x", count: 1_000_000) + "\"").utf8).write(to: URL(fileURLWithPath: file))
        let command =
          switch name {
          case "put": ["put", "/n/1", "@\(file)"]
          case "watch": ["watch", "/n/"]
          case "bench": ["bench", "--filled"]
          case "request": ["request", #"{"method": "GET", "path": "/"}"#]
          default: ["get", "/n/1"]
          }
        Self.expectFailure(
          try Self.run(command + server.options),
          "it wants a client's certificate (--tls-client-certificate, --tls-client-key)")
        let other = try CertificateAuthority(in: server.folder, name: "other")
        let foreign = try other.issue("foreign")
        Self.expectFailure(
          try Self.run(
            command + server.options + [
              "--tls-client-certificate", foreign.certificate, "--tls-client-key", foreign.key,
            ]),
          "it does not know who has signed the client's certificate")
      }
    }

    @Test("and trust an authority that was made as the page for operators shows")
    func documentedAuthority() async throws {
      let blocks = try MarkdownBlock.all(of: "docs/OPERATIONS.md").filter { $0.text.hasPrefix("openssl req -x509") }
      #expect(blocks.count == 1)
      try await withDatabase { database in
        let folder = (database as NSString).deletingLastPathComponent
        for block in blocks {
          let run = try ChildProcess("env", ["-C", folder, "sh", "-ec", block.text])
          #expect(run.waitForEnd() == .exited(0), "\(run.errorOutput)")
        }
        let server = try ServerProcess(
          database: database, ["--tls-certificate", folder + "/server.pem", "--tls-key", folder + "/server.key"])
        for host in ["localhost", "127.0.0.1"] {
          let result = try Self.run(
            ["echo", "1", "--host", host, "--port", "\(server.port)", "--tls-ca", folder + "/authority.pem"])
          #expect(result.output == "1\n", "\(result.error)")
        }
        #expect(server.stop() == .exited(0))
        #expect(server.complaints == [])
      }
    }

    @Test("and one environment sets what they and the server need")
    func environment() async throws {
      try await withDatabase { database in
        let folder = (database as NSString).deletingLastPathComponent
        let authority = try CertificateAuthority(in: folder)
        let identity = try authority.issue("server")
        let client = try authority.issue("client")
        let environment = [
          "DOCKET_TLS_CERTIFICATE": identity.certificate, "DOCKET_TLS_KEY": identity.key, "DOCKET_TLS": "1",
          "DOCKET_TLS_CLIENT_CA": authority.certificate, "DOCKET_TLS_CA": authority.certificate,
          "DOCKET_TLS_CLIENT_CERTIFICATE": client.certificate, "DOCKET_TLS_CLIENT_KEY": client.key,
        ]
        let server = try ServerProcess(database: database, environment: environment)
        let result = try Docket.run("echo", "1", "--port", "\(server.port)", environment: environment)
        #expect(result.output == "1\n", "\(result.error)")
        #expect(server.stop() == .exited(0))
        let mixed = try Docket.run("echo", "1", "--unix-socket", "/none", environment: ["DOCKET_TLS": "yes"])
        #expect(mixed.ending == .exited(2) && mixed.error.contains("DOCKET_TLS"), "\(mixed.error)")
      }
    }

    @Test(
      "and refuse options that do not go together, or cannot be used",
      arguments: [
        (["--tls-client-key", "x"], 2, "go together"), (["--tls-client-certificate", "x"], 2, "go together"),
        (["--tls", "--unix-socket", "s"], 2, "--tls is for TCP"), (["--tls-ca", "/none"], 1, "cannot read /none"),
        (["--tls-server-name", "10.0.0.1"], 1, "'10.0.0.1' is no name"),
      ] as [([String], Int32, String)])
    func wrongOptions(_ arguments: [String], _ status: Int32, _ message: String) async throws {
      let result = try await blocking { try Self.run(["get", "/n/1"] + arguments) }
      #expect(result.ending == .exited(status) && result.error.contains(message), "\(result.error)")
    }

    private static func run(_ arguments: [String]) throws -> Docket.Result {
      let process = try ChildProcess(Docket.path, arguments)
      let ending = process.waitForEnd()
      return Docket.Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
    }

    private static func expectFailure(_ result: Docket.Result, _ messages: String...) {
      #expect(result.ending == .exited(1) && result.errorLines.count == 1, "\(result.error)")
      for message in messages { #expect(result.error.contains(message), "\(result.error)") }
    }
  }
}
