import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("cares for database files")
  struct CareTests {
    private static func put(_ server: ServerProcess, _ id: String, _ data: String) throws {
      _ = try server.exchange(#"{"method": "PUT", "path": "/a/\#(id)", "data": \#(data)}"#)
    }

    private static func documents(_ database: String) throws -> String {
      try SQLiteCommand.run(
        database, "SELECT group_concat(id || '=' || data, ' ') FROM (SELECT * FROM documents ORDER BY id)"
      ).output.trimmingCharacters(in: .newlines)
    }

    @Test("check works beside a server, and says by its status what it found")
    func check() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        try Self.put(server, "1", "1")
        let sound = try Docket.run("check", "--database", database)
        #expect(sound.ending == .exited(0) && sound.error.isEmpty)
        #expect(sound.output.hasSuffix("is sound: 1 documents, 1 changes (1 to 1), schema 6\n"))
        try Self.put(server, "2", "2")
        #expect(server.stop() == .exited(0))
        _ = try SQLiteCommand.run(
          database, "UPDATE document_rows SET revision = 1 WHERE id = '2'; CREATE TABLE mine(x)")
        let broken = try Docket.run("check", environment: ["DOCKET_DATABASE": database])
        #expect(broken.ending == .exited(1))
        let lines = broken.output.split(separator: "\n")
        #expect(lines.first == "notice foreign: table mine is not of Docket's making")
        #expect(lines.dropFirst().first?.hasPrefix("fault revision: /a/2: change 1") == true)
        let json = try Docket.run("check", "--json", "--database", database)
        let report = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(json.ending == .exited(1) && report?["sound"] as? Bool == false && report?["faults"] as? Int == 2)
        let missing = try Docket.run("check", "--database", database + ".none")
        #expect(missing.ending == .exited(1) && missing.errorLines.count == 1)
        #expect(!FileManager.default.fileExists(atPath: database + ".none"))
      }
    }

    @Test(
      "make reset-db empties the database that it is told, also where its name has quotes",
      arguments: [#"d'o"ck.db"#, "docket.db"])
    func makeReset(_ name: String) async throws {
      try await withDatabase { database in
        let file = ((database as NSString).deletingLastPathComponent as NSString).appendingPathComponent(name)
        let server = try ServerProcess(database: file)
        try Self.put(server, "1", "1")
        let project = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized.path
        func reset() throws -> (ending: ChildProcess.Ending?, error: String) {
          // What the make that runs these tests was told is not for this one.
          let apart = ["MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS", "SWIFT"].flatMap { ["-u", $0] }
          let make = try ChildProcess(
            "env", apart + ["make", "-C", project, "reset-db", "BINARY=\(Docket.path)", "DATABASE=\(file)"])
          return (make.waitForEnd(), make.errorOutput)
        }
        let refused = try reset()
        #expect(refused.ending == .exited(2) && refused.error.contains("is already served by process"), "\(refused)")
        #expect(server.stop() == .exited(0))
        #expect(try Self.documents(file) == "1=1")
        let done = try reset()
        #expect(done.ending == .exited(0), "\(done)")
        #expect(try Self.documents(file) == "")
      }
    }

    @Test("sql does not make a database beside the log of one that is lost")
    func sqlBesideLog() async throws {
      try await withDatabase { database in
        let log = Data("what is left of a log".utf8)
        try Data().write(to: URL(fileURLWithPath: database))
        try log.write(to: URL(fileURLWithPath: database + "-wal"))
        let refused = try Docket.run("sql", "--database", database, "CREATE TABLE mine(a)")
        #expect(refused.ending == .exited(1) && refused.error.contains("the log of a database that was here is left"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: database)).isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: database + "-wal")) == log)
      }
    }

    @Test("compact refuses a served file, and says how much it gave back")
    func compact() async throws {
      try await withDatabase { database in
        let server = try ServerProcess(database: database)
        try Self.put(server, "1", "1")
        let refused = try Docket.run("compact", "--database", database)
        #expect(refused.ending == .exited(1) && refused.error.contains("stop that server"))
        #expect(server.stop() == .exited(0))
        let done = try Docket.run("compact", "--database", database)
        #expect(done.ending == .exited(0) && done.output.contains("is compact: "), "\(done)")
        let holder = try LockHolder(database)
        let inUse = try Docket.run("compact", "--database", database)
        #expect(inUse.ending == .exited(1) && inUse.error.contains("another process has the database open"))
        try holder.release()
        #expect(try Self.documents(database) == "1=1")
      }
    }

    /// The name of the history that a server serves.
    private static func history(_ server: ServerProcess) throws -> Substring {
      let stats = try server.exchange(#"{"method": "GET", "path": "/_stats"}"#)
      return try #require(stats.split(separator: #""history": ""#).last?.prefix { $0 != "\"" })
    }

    @Test("restore puts a backup in its place, and all documents back to a moment, and a server goes on from there")
    func restore() async throws {
      try await withDatabase { database in
        let backup = database + ".backup"
        var server = try ServerProcess(database: database)
        try Self.put(server, "1", "1")
        _ = try SQLiteCommand.run(database, "VACUUM INTO '\(backup)'")
        try Self.put(server, "1", "2")
        let history = try Self.history(server)
        #expect(try Docket.run("restore", backup, "--database", database).error.contains("stop that server"))
        #expect(server.stop() == .exited(0))

        let refused = try Docket.run("restore", backup, "--database", database)
        #expect(refused.ending == .exited(1) && refused.error.contains("holds 1 changes that"), "\(refused)")
        #expect(try Self.documents(database) == "1=2")
        let moment = try Docket.run("restore", "--as-of", "1", "--database", database)
        #expect(
          moment.output == "As of revision 1: 1 documents put back, 0 deleted, 0 left as they are.\n", "\(moment)")
        #expect(try Self.documents(database) == "1=1")
        let done = try Docket.run("restore", backup, "--replace", "--database", database)
        #expect(done.ending == .exited(0) && done.output.contains(".before-restore-"), "\(done)")
        #expect(try Self.documents(database) == "1=1")

        server = try ServerProcess(database: database)
        #expect(try Self.history(server) != history)
        let since = try server.exchange(#"{"method": "GET", "path": "/_changes?since=3"}"#)
        #expect(since.contains("ahead"))
        try Self.put(server, "2", "2")
        let document = try Docket.run("restore", "/a/2", "1", "--port", "\(server.port)")
        #expect(document.ending == .exited(1) && document.error.contains("404"), "\(document)")
        #expect(server.stop() == .exited(0))
      }
    }

    @Test(
      "restore tells somebody who mixes its forms up what is missing",
      arguments: [
        (["restore"], 2, "say what is to be restored"),
        (["restore", "/notes/42"], 1, "docket restore /notes/42 REVISION"),
        (["restore", "17"], 1, "docket restore --as-of 17"), (["restore", "none.db"], 1, "there is no file none.db"),
        (["restore", "none.db", "17"], 2, "docket restore none.db --as-of 17"),
        (["restore", "none.db", "--if-match", "1"], 2, "are for a document"),
        (["restore", "/a/1", "1", "--as-of", "2"], 2, "leave --as-of out"),
        (["restore", "--as-of", "1", "--replace"], 2, "are for a backup"),
        (["restore", "--as-of", "1", "--keep-tokens"], 2, "are for a backup"),
        (["restore", "--as-of", "yesterday"], 2, "must be a revision or a time"),
      ])
    func forms(_ arguments: [String], _ status: Int32, _ words: String) throws {
      let process = try ChildProcess("env", ["-C", "/", Docket.path] + arguments)
      #expect(process.waitForEnd() == .exited(status))
      #expect(process.errorOutput.contains(words), "\(process.errorOutput)")
    }

    @Test(
      "a file that is named in another way than by --database is no riddle",
      arguments: [
        (["check", "a b.db"], 2, "--database 'a b.db'"), (["compact", "good.db"], 2, "--database good.db"),
        (["reset", "/etc/passwd"], 2, "--database /etc/passwd"), (["sql", "/etc/passwd"], 2, "--database /etc/passwd"),
        (["sql", "good.db", "SELECT 1"], 2, "in quotes"), (["check", "--database", "none.db"], 1, "--database"),
        (["sql", "--database", "/", "SELECT 1"], 1, "is not a file"), (["check", "--database", ""], 2, "is empty"),
        (["check", "--databse", "good.db"], 2, "Did you mean '--database'?"),
        (["chekc", "--database", "good.db"], 2, "there is no command 'chekc'; 'docket --help' lists"),
        (["token", "creat", "a"], 2, "there is no command 'creat'; 'docket token --help' lists"),
        (["help", "chekc"], 2, "there is no command 'chekc'"),
        (["put", "/n/1", "@/"], 1, "cannot read /: Is a directory"),
        (["restore", "/n/1", "1", "--database", "a.db"], 2, "leave --database out"),
        (["restore", "a.db", "--port", "1"], 2, "leave --port out"),
        (["serve", "--unix-socket-mode", "660"], 2, "add --unix-socket"),
      ])
    func misplaced(_ arguments: [String], _ status: Int32, _ words: String) throws {
      let process = try ChildProcess("env", ["-C", "/", Docket.path] + arguments)
      #expect(process.waitForEnd() == .exited(status))
      #expect(process.errorOutput.contains(words), "\(process.errorOutput)")
    }

    @Test(
      "what the shell has closed, forbidden or set is told as it is",
      arguments: [
        (#"exec "$0" put /n/1 <&-"#, 1, "docket: cannot read standard input: Bad file descriptor\n"),
        (#"exec "$0" --version >&-"#, 1, "docket: cannot write to standard output: Bad file descriptor\n"),
        (
          #"ulimit -n 12; exec "$0" get /a/b"#, 1,
          "docket: only 12 files may be open at once, and it takes 64: raise that with ulimit -n\n"
        ),
        (#"exec "$0" get "$(printf '/n/\377')""#, 2, "docket: an argument is not UTF-8: /n/\u{FFFD}\n"),
        (#"exec "$0" serve --port 0 --database '' "#, 2, "--database is empty"),
        (#"exec "$0" get /n/1 --unix-socket '' "#, 2, "--unix-socket is empty"),
        (#"exec "$0" watch /n/ --exec '' "#, 2, "--exec is empty"),
        (#"exec "$0" serve --port 0 --http-threads 2"#, 2, "add --http-port"),
        (#"exec "$0" serve --port 12345 --http-port 12345"#, 2, "each needs a port of its own"),
        (#"DOCKET_PORT=1 exec "$0" get --prot 1 /a/b"#, 2, "docket: Unknown option '--prot'. Did you mean '--port'?\n"),
        (#"DOCKET_PORT=x exec "$0" get /a/b"#, 2, "(from the environment: DOCKET_PORT)"),
      ])
    func shell(_ line: String, _ status: Int32, _ words: String) throws {
      let process = try ChildProcess("sh", ["-c", line, Docket.path])
      #expect(process.waitForEnd() == .exited(status))
      #expect(process.errorOutput.contains(words), "\(process.errorOutput)")
    }

    /// A sanitizer sets terabytes of it aside.
    @Test("little address space is told as it is", .disabled(if: EndToEnd.isSanitized))
    func addressSpace() throws {
      try shell(
        #"ulimit -v 1000000; exec "$0" serve --port 0"#, 1,
        "docket: only 976 MiB of address space may be used (ulimit -v), and it takes 2048 MiB")
    }

    @Test("sql reads a file that may not be written to, and says whom to run it as where it cannot be read as it is")
    func sqlOnReadOnlyFile() async throws {
      try await withDatabase { database in
        let folder = (database as NSString).deletingLastPathComponent + "/%41 ?#"
        let file = folder + "/docket.db"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(try Docket.run("reset", "--database", file).output.hasPrefix("There was no "))
        #expect(try Docket.run("reset", "--database", file).output.hasSuffix("docket.db is empty.\n"))
        _ = try SQLiteCommand.run(file, "INSERT INTO documents(collection, id, data) VALUES ('/a/', '1', '1')")
        func sql(_ statement: String) throws -> Docket.Result {
          // As somebody who is not root, who may do everything.
          let isRoot = geteuid() == 0
          let prefix = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
          let process = try ChildProcess(
            "env", prefix + [Docket.path, "sql", "--database", file, statement])
          let ending = process.waitForEnd()
          return Docket.Result(ending: ending, output: process.remainingOutput, error: process.errorOutput)
        }
        func permit(_ mode: Int, _ path: String) throws {
          try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        try permit(0o755, (database as NSString).deletingLastPathComponent)
        try permit(0o555, folder)
        defer { try? permit(0o755, folder) }
        try permit(0o444, file)
        let read = try sql("SELECT count(*) FROM documents")
        guard !read.error.contains("setpriv") else { return }
        #expect(read.output == "1\n" && read.error.isEmpty, "\(read)")
        #expect(try sql("DELETE FROM documents").error.contains("readonly"))
        try permit(0o755, folder)
        try Data().write(to: URL(fileURLWithPath: file + "-wal"))
        try permit(0o555, folder)
        #expect(try sql("SELECT 1").error.contains("run this as the user that runs docket"))
        try permit(0o755, folder)
        try FileManager.default.removeItem(atPath: file + "-wal")
        try permit(0o000, file)
        #expect(try sql("SELECT 1").error.contains("Permission denied; run this as"))
      }
    }

    @Test(
      "tokens that only a backup has come back only where that is wanted, and are named; what is told to do about it works"
    )
    func tokensOfBackups() async throws {
      try await withDatabase { database in
        let old = database + ".old"
        for name in ["first", "web"] {
          _ = try Docket.run("token", "create", name, "--allow", "admin", "--database", old)
        }
        /// How many tokens there are in a state.
        func tokens(_ state: String) throws -> Int {
          try Docket.run("token", "list", "--json", "--database", database).output.split(separator: "\n")
            .count { $0.contains("\"state\": \"\(state)\"") }
        }
        let tried = try Docket.run("restore", old, "--dry-run", "--database", database)
        #expect(tried.error.contains("would be revoked") && tried.error.contains("--keep-tokens"), "\(tried)")
        let done = try Docket.run("restore", old, "--quiet", "--database", database)
        #expect(done.ending == .exited(0) && done.output.isEmpty, "\(done)")
        #expect(done.error.contains("are revoked, since they may have been meanwhile: first, web; make new ones"))
        #expect(try tokens("revoked") == 2 && tokens("active") == 0)
        // With the first token it has been shut, and stays so.
        let server = try ServerProcess(database: database)
        #expect(try server.exchange(#"{"method": "GET", "path": "/a/"}"#).contains("401"))
        #expect(server.stop() == .exited(0))

        // What it says for somebody who knows better can be pasted.
        let line = try #require(done.errorLines.last { $0.contains("docket sql") })
        let command = line[try #require(line.range(of: "docket sql")).lowerBound...]
        let folder = CommandFolder(path: (database as NSString).deletingLastPathComponent, port: 1)
        #expect(try folder.shell(String(command)).ending == .exited(0), "\(command)")
        #expect(try tokens("active") == 2)

        try FileManager.default.removeItem(atPath: database)
        let kept = try Docket.run("restore", old, "--keep-tokens", "--database", database)
        #expect(kept.error.contains("hold, also if they were revoked meanwhile: first, web"), "\(kept)")
        #expect(try tokens("active") == 2)
      }
    }

    @Test("reset keeps tokens and says so, and says what it opens where they are to go")
    func resetTokens() async throws {
      try await withDatabase { database in
        _ = try Docket.run("token", "create", "root", "--allow", "admin", "--database", database)
        let kept = try Docket.run("reset", "--database", database)
        #expect(kept.ending == .exited(0) && kept.output.contains("tokens have stayed, 1"), "\(kept)")
        var server = try ServerProcess(database: database)
        #expect(try server.exchange(#"{"method": "GET", "path": "/a/"}"#).contains("401"))
        #expect(server.stop() == .exited(0))
        let removed = try Docket.run("reset", "--tokens", "--database", database)
        #expect(removed.ending == .exited(0) && removed.output.contains("takes every request"), "\(removed)")
        server = try ServerProcess(database: database)
        #expect(try server.exchange(#"{"method": "GET", "path": "/a/"}"#).contains("200"))
        #expect(server.stop() == .exited(0))
        // Where there were none there is nothing to tell.
        #expect(try Docket.run("reset", "--database", database).output.split(separator: "\n").count == 1)
      }
    }

    @Test("killed in the middle of a reset, a database has its tokens, and is the former one or an empty one")
    func killReset() async throws {
      let rounds = count("DOCKET_TEST_CARE_KILL_ROUNDS", default: 12)
      let seed = SeededGenerator.forTest(named: "kill -9 of reset")
      try await withDatabase { database in
        var random = seed
        _ = try Docket.run("token", "create", "root", "--allow", "admin", "--database", database)
        for round in 0..<rounds {
          _ = try SQLiteCommand.run(
            database, "INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/a/', '1', '1')")
          let process = try ChildProcess(Docket.path, ["reset", "--database", database])
          usleep(UInt32.random(in: 0..<100_000, using: &random))
          process.signal(SIGKILL)
          #expect(process.waitForEnd() != nil)
          let found = try SQLiteCommand.run(
            database, "SELECT count(*) FROM tokens WHERE name = 'root'; SELECT count(*) FROM documents")
          #expect(["1\n1\n", "1\n0\n"].contains(found.output), "round \(round): \(found)")
          #expect(try Docket.run("check", "--database", database).ending == .exited(0), "round \(round)")
        }
        #expect(try Docket.run("reset", "--database", database).ending == .exited(0))
        #expect(!FileManager.default.fileExists(atPath: database + ".replacement"))
        // What would be removed is neither taken for a backup nor made as one.
        let left = database + ".replacement"
        let made = try Docket.run("backup", "--database", database, left)
        #expect(made.ending == .exited(1) && !FileManager.default.fileExists(atPath: left), "\(made)")
        try FileManager.default.copyItem(atPath: database, toPath: left)
        let restored = try Docket.run("restore", left, "--database", database, "--replace")
        #expect(restored.ending == .exited(1) && restored.error.contains("give it another name first"), "\(restored)")
        #expect(FileManager.default.fileExists(atPath: left))
      }
    }

    @Test("killed in the middle of compact and restore, there is the one database or the other, whole")
    func kill() async throws {
      let rounds = count("DOCKET_TEST_CARE_KILL_ROUNDS", default: 16)
      let seed = SeededGenerator.forTest(named: "kill -9 of compact and restore")
      try await withDatabase { database in
        var random = seed
        let backup = database + ".backup"
        #expect(try Docket.run("reset", "--database", database).ending == .exited(0))
        _ = try SQLiteCommand.run(
          database,
          """
          INSERT INTO documents(collection, id, data) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
            SELECT '/a/', i, json_array(i, hex(randomblob(200))) FROM n;
          VACUUM INTO '\(backup)';
          UPDATE documents SET data = 'true' WHERE id % 2;
          """)
        let counts = "SELECT count(*), sum(data = 'true') FROM documents"
        for round in 0..<rounds {
          let arguments =
            [
              ["compact"], ["restore", backup, "--replace"], ["restore", "--as-of", "3000"],
              ["restore", backup, "--replace", "--as-of", "1500"],
            ][round % 4] + ["--database", database]
          let process = try ChildProcess(Docket.path, arguments)
          usleep(UInt32.random(in: 0..<120_000, using: &random))
          process.signal(round % 8 < 4 ? SIGKILL : SIGINT)
          let ending = process.waitForEnd()
          #expect(ending != nil)
          // Whatever was cut off in a journal is undone by whoever writes next.
          let found = try SQLiteCommand.run(database, counts)
          #expect(["3000|1500\n", "3000|0\n", "1500|0\n"].contains(found.output), "round \(round): \(found)")
          let checked = try Docket.run("check", "--database", database)
          #expect(checked.ending == .exited(0), "round \(round): \(checked)")
          // What an earlier round has left is removed by the next one that makes such a file, and is not cut off.
          if ending == .exited(0), round % 4 != 2 {
            #expect(!FileManager.default.fileExists(atPath: database + ".replacement"), "round \(round)")
          }
        }
        #expect(try Docket.run("compact", "--database", database).ending == .exited(0))
        #expect(!FileManager.default.fileExists(atPath: database + ".replacement"))
        let server = try ServerProcess(database: database)
        #expect(server.stop() == .exited(0))
      }
    }
  }
}
