import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("has commands for tokens, and commands that use them")
  struct TokenCommandTests {
    /// Makes a token by the file.
    private static func create(_ database: String, _ name: String, _ rules: [String], _ more: String...) throws
      -> String
    {
      let allow = rules.flatMap { ["--allow", $0] }
      let process = try ChildProcess(Docket.path, ["token", "create", name, "--database", database] + allow + more)
      #expect(process.waitForEnd() == .exited(0), "\(process.errorOutput)")
      let lines = process.remainingOutput.split(separator: "\n")
      #expect(lines.count == 1)
      return String(try #require(lines.first))
    }

    private static func run(_ arguments: [String]) throws -> Docket.Result {
      let process = try ChildProcess(Docket.path, arguments)
      let ending = process.waitForEnd()
      return Docket.Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
    }

    /// Runs a command until it ends.
    private static func run(_ server: ServerProcess, _ arguments: [String], token: String? = nil) throws
      -> Docket.Result
    {
      let process = try ChildProcess(
        Docket.path, arguments, environment: ["DOCKET_PORT": "\(server.port)", "DOCKET_TOKEN": token ?? ""])
      let ending = process.waitForEnd()
      return Docket.Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
    }

    /// Runs a command again until its error output says this: a change of the file holds within a second.
    private static func wait(
      _ server: ServerProcess, _ arguments: [String], token: String? = nil, until isDone: (Docket.Result) -> Bool
    ) throws -> Docket.Result {
      let deadline = Date(timeIntervalSinceNow: 60)
      while true {
        let result = try run(server, arguments, token: token)
        if isDone(result) { return result }
        guard Date() < deadline else {
          throw ChildProcess.Failure(description: "\(arguments): still \(result)")
        }
        usleep(50_000)
      }
    }

    @Test("the first token, made by the file beside a running server, closes it for everybody without one")
    func first() async throws {
      try await withServer { server in
        #expect(try Self.run(server, ["put", "/notes/1", "1"]).ending == .exited(0))
        let none = try Docket.run("token", "list", "--database", server.database)
        #expect(none.ending == .exited(0) && none.output.isEmpty && none.error.contains("takes every request"))

        let created = try Docket.run("token", "create", "root", "--allow", "admin", "--database", server.database)
        #expect(created.ending == .exited(0))
        let token = String(created.output.dropLast())
        #expect(created.output.hasPrefix("docket_") && created.output.hasSuffix("\n") && !token.contains("\n"))
        #expect(created.errorLines.count == 3, "\(created.error)")
        #expect(created.error.contains("it is the first") && created.error.contains("shown only this once"))
        #expect(!created.error.contains(token))

        let closed = try Self.wait(server, ["get", "/notes/1"]) { $0.ending == .exited(1) }
        #expect(closed.output.isEmpty && closed.errorLines.count == 1)
        #expect(closed.error.contains("401") && closed.error.contains("DOCKET_TOKEN"))
        #expect(try Self.run(server, ["get", "/notes/1"], token: token).output == "1\n")
        #expect(try Self.run(server, ["token", "list"]).error.contains("--database FILE"))
      }
    }

    @Test("tokens are made, listed and revoked through the server, by an admin alone")
    func throughServer() async throws {
      try await withServer { server in
        let root = try Self.create(server.database, "root", ["admin"])
        _ = try Self.wait(server, ["token", "list"]) { $0.ending == .exited(1) }
        let created = try Self.run(
          server, ["token", "create", "ci", "--allow", "read:/notes/", "--allow", "write:/notes/", "--expires", "90d"],
          token: root)
        #expect(created.ending == .exited(0) && created.errorLines.count == 2, "\(created)")
        let ci = String(created.output.dropLast())
        #expect(try Self.run(server, ["put", "/notes/1", "1"], token: ci).ending == .exited(0))
        let other = try Self.run(server, ["put", "/people/1", "1"], token: ci)
        #expect(other.ending == .exited(1) && other.error.contains("403"))

        let again = try Self.run(server, ["token", "create", "ci", "--allow", "stats"], token: root)
        #expect(again.ending == .exited(1) && again.error.contains("409") && again.output.isEmpty)
        let denied = try Self.run(server, ["token", "create", "x", "--allow", "admin"], token: ci)
        #expect(denied.ending == .exited(1) && denied.error.contains("admin's") && denied.output.isEmpty)

        #expect(try Self.run(server, ["token", "revoke", "ci"], token: root).output == "ci is revoked.\n")
        let revoked = try Self.run(server, ["get", "/notes/1"], token: ci)
        #expect(revoked.ending == .exited(1) && revoked.error.contains("401"))
        let nobody = try Self.run(server, ["token", "revoke", "ci"], token: root)
        #expect(nobody.ending == .exited(1) && nobody.error.contains("no token 'ci'"))

        let list = try Self.run(server, ["token", "list"], token: root).output.split(separator: "\n")
        #expect(list.count == 3 && list[1].hasPrefix("root") && list[1].contains(" active "))
        #expect(
          list[2].hasPrefix("ci") && list[2].contains(" revoked ") && list[2].hasSuffix("read:/notes/ write:/notes/"))
        let json = try Self.run(server, ["token", "list", "--json"], token: root).output
        #expect(json == (try Docket.run("token", "list", "--json", "--database", server.database).output))
        #expect(json.contains(#""name": "ci""#) && json.contains(#""state": "revoked""#) && !json.contains(ci))
      }
    }

    @Test("a token is revoked by its whole text, whose secret is neither printed nor logged")
    func wholeText() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database, ["--log-level", "info"])
        let (admin, root) = try server.shut()
        let texts = try ["a", "b", "c"].map { try admin.makeToken($0, ["stats"]) }
        let ids = texts.map { String($0.dropFirst(7).prefix(12)) }
        let revoked = [
          try Self.run(server, ["token", "revoke", texts[0]], token: root),
          try Docket.run("token", "revoke", texts[1], "--database", database),
        ]
        #expect(revoked.map(\.output) == ids.prefix(2).map { "\($0) is revoked.\n" })
        #expect(try admin.code("DELETE", "/_tokens/\(texts[2])") == 204)
        // One that was cut short is no token's name.
        let part = String(texts[2].dropLast(3))
        let failed = try Self.run(server, ["token", "revoke", part], token: root)
        #expect(failed.ending == .exited(1) && failed.error.contains("docket_\(ids[2])_…"), "\(failed)")
        let frame = try #require(try admin.answer(#"{"method":"DELETE","path":"/_tokens/\#(part)"}"#))
        #expect(frame.code == 404 && frame.text.contains("docket_\(ids[2])_…"), "\(frame.text)")
        #expect(server.stop() == .exited(0))
        let told = server.process.errorOutput + failed.error + frame.text
        #expect(told.contains("DELETE /_tokens/docket_\(ids[2])_…"), "\(told)")
        for text in texts { #expect(!told.contains(text.suffix(43).prefix(20))) }
      }
    }

    @Test("a token that is wrong, and one that has expired, is refused as such")
    func invalid() async throws {
      try await withDatabase { database in
        let short = try Self.create(database, "short", ["admin"], "--expires", "1s")
        let server = try ServerProcess(database: database)
        let expired = try Self.wait(server, ["get", "/notes/1"], token: short) { $0.error.contains("401") }
        #expect(expired.ending == .exited(1) && !expired.error.contains(short))
        let wrong = try Self.run(server, ["get", "/notes/1"], token: String(short.dropLast(3)) + "AAA")
        #expect(wrong.ending == .exited(1) && wrong.error.contains("401") && wrong.errorLines.count == 1)
        let request = try Self.run(server, ["request", #"{"method": "GET", "path": "/notes/1"}"#], token: short)
        #expect(request.ending == .exited(1) && request.error.contains("401"))
        #expect(
          try Docket.run("token", "list", "--database", database).output.contains(" expired "))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("a watch ends when its token is revoked, and says so")
    func watch() async throws {
      try await withDatabase { database in
        let root = try Self.create(database, "root", ["admin"])
        let token = try Self.create(database, "watcher", ["read:/notes/"])
        let server = try ServerProcess(database: database)
        #expect(try Self.run(server, ["put", "/notes/1", "1"], token: root).ending == .exited(0))
        let watch = try ChildProcess(
          Docket.path, ["watch", "/notes/", "--since", "0"],
          environment: ["DOCKET_PORT": "\(server.port)", "DOCKET_TOKEN": token])
        #expect(watch.readLine() == "1 created /notes/1 1")
        #expect(
          try Docket.run("token", "revoke", "watcher", "--database", database).output == "watcher is revoked.\n")
        #expect(watch.waitForEnd() == .exited(1))
        #expect(watch.errorOutput.contains("401") && watch.errorOutput.contains("The last change that was told is 1."))
        #expect(!watch.errorOutput.contains(token))
        #expect(server.stop() == .exited(0))
      }
    }

    @Test("import, export and bench bring the token of a file, and a file that all may read is named")
    func programs() async throws {
      try await withFolder { folder, server in
        let token = try Self.create(
          server.database, "bulk", ["read:/", "write:/", "stats"])
        _ = try Self.wait(server, ["get", "/notes/1"]) { $0.error.contains("401") }
        try folder.write("token", token + "\n")
        chmod("\(folder.path)/token", 0o600)
        try folder.write("n.ndjson", "1\n2\n")
        let option = ["--token-file", "token"]

        #expect(try folder.run(["import", "n.ndjson", "--collection", "/n/"]).error.contains("401"))
        let imported = try folder.run(["import", "n.ndjson", "--collection", "/n/"] + option)
        #expect(imported.output == "{\"imported\": 2, \"replaced\": 0, \"skipped\": 0, \"bad\": 0}\n", "\(imported)")
        #expect(imported.error.isEmpty)
        let exported = try folder.run(["export"] + option)
        #expect(exported.output.split(separator: "\n").count == 2, "\(exported)")
        let raw = try folder.run(["request", #"{"method": "GET", "path": "/n/?limit=1"}"#] + option)
        #expect(raw.ending == .exited(0) && raw.output.hasPrefix(#"{"code": 200"#), "\(raw)")
        for workload in ["get", "one-shot", "watch"] {
          let bench = [
            "bench", "--workload", workload, "--requests", "20", "--keys", "20", "--connections", "2", "--json",
          ]
          let more = workload == "watch" ? ["--watchers", "2"] : []
          let measured = try folder.run(bench + more + option)
          #expect(measured.ending == .exited(0) && !measured.output.contains("\"40"), "\(measured)")
          let refused = try folder.run(bench + more)
          #expect(refused.ending == .exited(1) && refused.error.contains("DOCKET_TOKEN"), "\(refused)")
          guard workload == "watch" else { continue }
          let filled = try folder.run(bench + more + ["--filled"])
          #expect(filled.ending == .exited(1) && filled.error.contains("DOCKET_TOKEN"), "\(filled)")
        }

        chmod("\(folder.path)/token", 0o644)
        let open = try folder.run(["get", "/n/none"] + option)
        #expect(open.errorLines.count == 2 && open.error.contains("chmod 600 token") && !open.error.contains(token))
      }
    }

    @Test(
      "no more tokens are made than may hold, by the file and through the server, and where all are gone it is told so")
    func limit() async throws {
      try await withDatabase { database in
        let root = try Self.create(database, "root", ["admin"])
        let more = ["token", "create", "a", "--allow", "stats"]
        let file = try Self.run(more + ["--database", database, "--max-tokens", "1"])
        #expect(file.ending == .exited(1) && file.errorLines.count == 1 && file.error.contains("--max-tokens"))
        let server = try ServerProcess(database: database, ["--max-tokens", "1"])
        let refused = try Self.run(server, more, token: root)
        #expect(refused.ending == .exited(1) && refused.output.isEmpty, "\(refused)")
        #expect(refused.error.contains("409") && refused.error.contains("--max-tokens"), "\(refused)")
        #expect(try Self.run(more + ["--database", database]).ending == .exited(0))
        #expect(server.stop() == .exited(0))
        #expect(try SQLiteCommand.run(database, "DELETE FROM tokens").status == 0)
        let none = try Docket.run("token", "list", "--database", database)
        #expect(none.error.contains("no tokens any more") && !none.error.contains("every request"), "\(none)")
      }
    }

    @Test("a token that could not be printed is revoked")
    func unseen() async throws {
      try await withDatabase { database in
        let process = try ChildProcess(
          "/bin/sh",
          ["-c", "exec \"$0\" token create a --allow admin --database \"$1\" > /dev/full", Docket.path, database])
        #expect(process.waitForEnd() == .exited(1))
        #expect(process.errorOutput.contains("revoked again"))
        #expect(try Docket.run("token", "list", "--database", database).output.contains(" revoked "))
      }
    }

    @Test(
      "a command line for tokens that is wrong is told so",
      arguments: [
        (["create", "a"], "--allow read:/notes/"), (["create", "a", "--allow", "fly"], "'fly' is no rule"),
        (["create", "a", "--allow", "read:notes"], "must begin with a slash"),
        (["create", "a", "--allow", "admin", "--expires", "90"], "90d, 12h, 30m or 45s"),
        (["create", "a b", "--allow", "admin"], "name"),
        (["create", "a", "--allow", "admin", "--max-tokens", "0"], "--max-tokens"), (["revoke"], "name"),
      ])
    func usage(_ arguments: [String], _ message: String) async throws {
      try await withDatabase { database in
        let process = try ChildProcess(Docket.path, ["token"] + arguments + ["--database", database])
        #expect(process.waitForEnd() == .exited(2))
        #expect(process.errorOutput.contains(message), "\(process.errorOutput)")
      }
    }

    @Test("list and revoke make no file")
    func missing() async throws {
      try await withDatabase { database in
        for arguments in [["list"], ["revoke", "a"]] {
          let process = try ChildProcess(Docket.path, ["token"] + arguments + ["--database", database])
          #expect(process.waitForEnd() == .exited(1))
          #expect(process.errorOutput == "docket: cannot open \(database): No such file or directory\n")
        }
        #expect(!FileManager.default.fileExists(atPath: database))
        // The check of the database behind each test wants one.
        _ = try Self.create(database, "root", ["admin"])
      }
    }
  }
}
