import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("does not start with TLS")
  struct TLSStartTests {
    /// Calls `body` with a folder, the arguments of a server, an authority and an identity that would do.
    private static func withFiles(
      _ body: @escaping @Sendable (String, CertificateAuthority, CertificateAuthority.Identity) throws -> Void
    ) async throws {
      try await withDatabase { database in
        let authority = try CertificateAuthority(in: (database as NSString).deletingLastPathComponent)
        try body(database, authority, try authority.issue("server"))
      }
    }

    private static func expectRefusal(
      _ database: String, certificate: String, key: String, clientAuthorities: String? = nil, _ message: String
    ) throws {
      let more = clientAuthorities.map { ["--tls-client-ca", $0] } ?? []
      let process = try ChildProcess(
        Docket.path,
        ["serve", "--port", "0", "--database", database, "--tls-certificate", certificate, "--tls-key", key] + more)
      #expect(process.waitForEnd() == .exited(1))
      #expect(process.remainingOutput == "")
      let error = process.errorOutput
      #expect(error.split(separator: "\n").count == 1 && error.contains(message), "\(error)")
      // Not even a database is made.
      #expect(!FileManager.default.fileExists(atPath: database))
    }

    @Test("when its files cannot be used: one line that says how to mend it")
    func unusable() async throws {
      try await Self.withFiles { database, authority, identity in
        let folder = (database as NSString).deletingLastPathComponent
        let (certificate, key) = (identity.certificate, identity.key)
        let garbage = folder + "/garbage.pem"
        try Data("garbage".utf8).write(to: URL(fileURLWithPath: garbage))
        let empty = folder + "/empty.pem"
        try Data().write(to: URL(fileURLWithPath: empty))
        try Self.expectRefusal(
          database, certificate: folder + "/none", key: key, "cannot read \(folder)/none: No such file")
        try Self.expectRefusal(database, certificate: certificate, key: folder, "cannot read \(folder): it is no file")
        for file in [garbage, empty, key] {
          try Self.expectRefusal(database, certificate: file, key: key, "\(file) is no certificate in PEM form")
        }
        for file in [garbage, empty, certificate] {
          try Self.expectRefusal(database, certificate: certificate, key: file, "\(file) is no private key in PEM form")
        }
        try Self.expectRefusal(
          database, certificate: certificate, key: key, clientAuthorities: garbage, "\(garbage) is no certificate")
        let other = try authority.issue("other")
        try Self.expectRefusal(
          database, certificate: certificate, key: other.key,
          "the key in \(other.key) does not belong to the first certificate in \(certificate)")
        for (name, arguments) in [("pkcs8", ["pkcs8", "-topk8"]), ("ec", ["ec", "-aes128"])] {
          let encrypted = "\(folder)/\(name).key"
          try authority.openssl(arguments + ["-in", key, "-out", encrypted, "-passout", "pass:secret"])
          try Self.expectRefusal(
            database, certificate: certificate, key: encrypted,
            "the key in \(encrypted) is encrypted; store it without its passphrase: openssl pkey -in \(encrypted) -out NEW"
          )
        }
      }
    }

    @Test(
      "when its options do not go together: exit status 2",
      arguments: [
        ["--tls-certificate", "x"], ["--tls-key", "x"], ["--tls-client-ca", "x"], ["--tls-handshake-timeout", "0"],
        ["--unix-socket-mode", "999"], ["--unix-socket-mode", "1600"], ["--unix-socket-mode", ""],
      ])
    func wrongOptions(_ arguments: [String]) async throws {
      try await withDatabase { database in
        let process = try ChildProcess(Docket.path, ["serve", "--port", "0", "--database", database] + arguments)
        #expect(process.waitForEnd() == .exited(2))
        #expect(process.errorOutput.contains(arguments[0]), "\(process.errorOutput)")
      }
    }

    @Test("without a warning where the certificate is not valid, or the key is everybody's; but it starts")
    func warnings() async throws {
      let dates = [
        ("expired", ("20200101000000Z", "20210101000000Z"), "has expired on 2021-01-01"),
        ("early", ("20900101000000Z", "20910101000000Z"), "is not valid before 2090-01-01"),
      ]
      try await withDatabase { database in
        for (name, dates, message) in dates {
          let server = try SecuredServer(database: database) { try $0.issue(name, dates: dates) }
          #expect(server.process.stop() == .exited(0))
          let lines = server.process.complaints
          #expect(lines.count == 1 && lines[0].contains("warning") && lines[0].contains(message), "\(lines)")
        }
        let open = try SecuredServer(database: database) { authority in
          let identity = try authority.issue("open")
          try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: identity.key)
          return identity
        }
        #expect(open.process.stop() == .exited(0))
        #expect(open.process.complaints.count == 1 && open.process.complaints[0].contains("may read the key"))
      }
    }
  }
}
