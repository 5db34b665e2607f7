import DocketService
import DocketStore
import DocketWire
import NIOCore
import Testing

@Suite("Requests about backups")
struct BackupRequestTests {
  private static func operation(_ method: Method, _ path: String, _ data: String? = nil) -> Operation {
    QueryService.operation(method, path, data)
  }

  @Test("a backup is asked for with a name, or with none where it is to be fetched")
  func make() throws {
    let forms: [(String?, String?, Bool)] = [
      (#"{"name": "monday.db"}"#, "monday.db", false), ("{}", nil, false), (nil, nil, false),
      (#"{"name": "monday.db", "acceptFaults": true}"#, "monday.db", true), (#"{"acceptFaults": false}"#, nil, false),
    ]
    for (data, name, acceptsFaults) in forms {
      guard case .backups(.make(let found, let accepts)) = Self.operation(.post, "/_backups/", data) else {
        Issue.record("\(data ?? "nothing") is no order")
        continue
      }
      #expect(found?.text == name && accepts == acceptsFaults)
    }
  }

  @Test("a piece is asked for with an offset, and none means the beginning")
  func read() {
    for (path, offset) in [
      ("/_backups/a.db", 0), ("/_backups/a.db?offset=0", 0), ("/_backups/a.db?offset=393216", 393_216),
      ("/_backups/a.db?offset=9223372036854775807", Int64.max),
    ] {
      guard case .backups(.readPiece(let name, let found)) = Self.operation(.get, path) else {
        Issue.record("\(path) asks for no piece")
        continue
      }
      #expect(name.text == "a.db" && found == offset)
    }
  }

  @Test(
    "what is wrong is refused, and it is said what",
    arguments: [
      (Method.post, "/_backups/", #"{"name": 7}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"name": null}"#, 400, "invalid_backup"),
      (.post, "/_backups/", "[]", 400, "invalid_backup"),
      (.post, "/_backups/", "null", 400, "invalid_backup"),
      (.post, "/_backups/", #"{"path": "/x"}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"acceptFaults": 1}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"name": ""}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"name": "../docket.db"}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"name": "/etc/passwd"}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"name": ".hidden"}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"name": "a\u0000b"}"#, 400, "invalid_backup"),
      (.post, "/_backups/", #"{"name": "x.db-wal"}"#, 400, "invalid_backup"),
      (.post, "/_backups/?x=1", "{}", 400, "unknown_parameter"),
      (.get, "/_backups/?x=1", nil, 400, "unknown_parameter"),
      (.get, "/_backups/a%20b", nil, 400, "invalid_backup"), (.delete, "/_backups/.a", nil, 400, "invalid_backup"),
      (.get, "/_backups/a.db?offset=-1", nil, 400, "invalid_backup"),
      (.get, "/_backups/a.db?offset=", nil, 400, "invalid_backup"),
      (.get, "/_backups/a.db?offset=1.5", nil, 400, "invalid_backup"),
      (.get, "/_backups/a.db?offset=9223372036854775808", nil, 400, "invalid_backup"),
      (.get, "/_backups/a.db?limit=1", nil, 400, "unknown_parameter"),
      (.delete, "/_backups/a.db?offset=1", nil, 400, "unknown_parameter"),
      (.put, "/_backups/", "{}", 405, "method_not_allowed"), (.delete, "/_backups/", nil, 405, "method_not_allowed"),
      (.put, "/_backups/a.db", "{}", 405, "method_not_allowed"),
      (.post, "/_backups/a.db", "{}", 405, "method_not_allowed"),
    ] as [(Method, String, String?, Int, String)])
  func refusals(_ method: Method, _ path: String, _ data: String?, _ code: Int, _ error: String) async throws {
    let answer = try await QueryService().ask(method, path, data)
    #expect(answer.code == code && answer.data.hasPrefix("{\"error\": \"\(error)\", "), "\(answer)")
  }

  @Test("where there is no place and no backup, the answers say so")
  func none() async throws {
    let service = try QueryService()
    #expect(await service.ask(.get, "/_backups/") == (200, #"{"items": [], "running": null, "fetching": null}"#))
    let made = await service.ask(.post, "/_backups/", #"{"name": "a.db"}"#)
    #expect(made.code == 409 && made.data.contains("no_backup_folder") && made.data.contains("--backup-folder"))
    for method in [Method.get, .delete] {
      let answer = await service.ask(method, "/_backups/a.db")
      #expect(answer.code == 404 && answer.data.contains("no_backup"))
    }
  }

  @Test("the store's errors have codes of their own, and say how to mend it")
  func errors() {
    let errors: [(StoreError, Int, [String])] = [
      (.backupExists(name: "a.db"), 409, [#""error": "backup_exists""#, "a.db"]),
      (.backupRunning, 409, [#""error": "backup_running""#, "GET /_backups/", #""retryAfter": 5"#]),
      (
        .noRoomForBackup(needed: 2_000, free: 1_000), 507,
        [#""error": "disk_full""#, #""needed": 2000, "free": 1000}"#]
      ),
      (
        .backupFaulty(fault: "data: /a/1", faults: 2), 409,
        [#""error": "database_faulty""#, "docket check", "acceptFaults", #""faults": 2}"#]
      ),
      (.backupFailed(reason: "so"), 500, [#""error": "backup_failed""#, "so"]),
      (.closed, 503, [#""error": "closing""#]),
    ]
    for (error, code, parts) in errors {
      let response = error.response
      let data = response.data.map { String(buffer: $0) } ?? ""
      #expect(response.status.rawValue == code)
      for part in parts { #expect(data.contains(part), "\(data)") }
    }
  }
}
