import Foundation
import Testing

/// The real binary, started, spoken to by Python's standard library alone, killed and started again.
@Suite struct SmokeTests {
  private static let python = """
    import json, socket, sys
    port = int(sys.argv[1])
    def send(frame):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(frame)
            return s.recv(65536)
    def check(method, path, data, code, message, answer=None):
        got = send(json.dumps({"method": method, "path": path, "data": data}).encode() + b"\\0")
        expected = json.dumps({"code": code, "message": message, "data": answer}).encode()
        assert got == expected, (method, path, data, got, expected)
    """

  private static let exchange = """
    check("GET", "/", None, 200, "OK", "Hello, World!")
    check("GET", "/echo", {"a": [1, 2.5, "x", None]}, 200, "OK", {"a": [1, 2.5, "x", None]})
    check("GET", "/list", None, 200, "OK", [])
    check("POST", "/item", "one", 201, "Created")
    check("POST", "/item", "two", 201, "Created")
    check("GET", "/list", None, 200, "OK", ["one", "two"])
    check("PUT", "/item", "one,three", 200, "OK")
    check("PUT", "/item", "nowhere,x", 404, "Not Found")
    check("PUT", "/item", "no comma", 404, "Not Found")
    check("PUT", "/item", 5, 400, "Bad Request")
    check("DELETE", "/item", "two", 204, "No Content")
    check("DELETE", "/item", "two", 404, "Not Found")
    check("GET", "/nowhere", None, 400, "Bad Request")
    check("POST", "/list", None, 400, "Bad Request")
    assert send(b"no json\\0") == json.dumps({"code": 422, "message": "Unprocessable Entity", "data": None}).encode()
    """

  @Test("The original exchange is answered to the byte, and the list survives kill -9")
  func originalExchange() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("docket-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let database = folder.appendingPathComponent("smoke.db").path

    var (server, port) = try start(database)
    #expect(try run("/usr/bin/env", ["python3", "-c", Self.python + "\n" + Self.exchange, port]).status == 0)
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()

    (server, port) = try start(database)
    let look = Self.python + "\ncheck('GET', '/list', None, 200, 'OK', ['three'])"
    #expect(try run("/usr/bin/env", ["python3", "-c", look, port]).status == 0)
    kill(server.processIdentifier, SIGTERM)
    server.waitUntilExit()
    #expect(server.terminationStatus == 0)
    #expect(try run("/usr/bin/env", ["sqlite3", database, "PRAGMA integrity_check"]).output == "ok\n")
  }

  @Test("A second server on the same file is refused in one line, with exit status 1")
  func secondServer() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("docket-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let database = folder.appendingPathComponent("second.db").path
    let (server, _) = try start(database)
    defer {
      kill(server.processIdentifier, SIGTERM)
      server.waitUntilExit()
    }
    let second = try run(binary, ["serve", "--port", "0", "--database", database])
    #expect(second.status == 1)
    #expect(second.error.contains("already served by process \(server.processIdentifier)"))
    #expect(second.error.split(separator: "\n").count == 1)
  }

  // MARK: Processes

  /// The products of one build lie in one folder, that of the test bundle among them.
  private var binary: String { Bundle.main.bundleURL.appendingPathComponent("docket").path }

  /// Starts a server on a free port, and returns the port once it is ready.
  private func start(_ database: String) throws -> (Process, port: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: binary)
    process.arguments = ["serve", "--port", "0", "--database", database]
    process.standardOutput = output
    try process.run()
    var line = ""
    while !line.hasSuffix("\n") {
      let bytes = output.fileHandleForReading.availableData
      if bytes.isEmpty { break }
      line += String(decoding: bytes, as: UTF8.self)
    }
    let port = line.split(separator: ":").dropFirst(2).first.map { $0.prefix { $0.isNumber } }
    return (process, String(try #require(port, "no ready line: \(line)")))
  }

  private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String, error: String) {
    let process = Process()
    let output = Pipe()
    let error = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = error
    try process.run()
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    let complained = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: printed, as: UTF8.self), String(decoding: complained, as: UTF8.self)
    )
  }
}
