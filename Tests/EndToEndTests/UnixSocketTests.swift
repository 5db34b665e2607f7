import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("makes its unix socket")
  struct UnixSocketTests {
    private struct Rights: Equatable {
      let mode: UInt32
      let group: UInt32
    }

    private static func rights(_ path: String) -> Rights? {
      var status = stat()
      guard lstat(path, &status) == 0 else { return nil }
      return Rights(mode: status.st_mode & 0o777, group: status.st_gid)
    }

    @Test("its owner's alone, or as it is told to", arguments: [nil, "660", "0600", "666", "777"])
    func mode(_ mode: String?) async throws {
      try await withDatabase { database in
        let path = (database as NSString).deletingLastPathComponent + "/s"
        // Whatever the caller's umask is.
        let server = try ServerProcess(
          database: database, ["--unix-socket", path] + (mode.map { ["--unix-socket-mode", $0] } ?? []))
        #expect(Self.rights(path)?.mode == UInt32(mode ?? "600", radix: 8))
        let socket = try RawSocket(unixSocket: path)
        try socket.send(#"{"method":"GET","path":"/"}"# + "\0")
        #expect(try socket.receiveToEnd().contains("Hello, World!"))
        #expect(server.stop() == .exited(0))
        #expect(server.complaints == [])
      }
    }

    @Test("and removes it at its end, but not one that another server has put in its place")
    func removal() async throws {
      try await withDatabase { database in
        let path = (database as NSString).deletingLastPathComponent + "/s"
        let first = try ServerProcess(database: database, ["--unix-socket", path])
        try FileManager.default.removeItem(atPath: path)
        let second = try ServerProcess(database: database + "2", ["--unix-socket", path])
        #expect(first.stop() == .exited(0))
        let socket = try RawSocket(unixSocket: path)
        try socket.send(#"{"method":"GET","path":"/"}"# + "\0")
        #expect(try socket.receiveToEnd().contains("Hello, World!"))
        #expect(second.stop() == .exited(0))
        #expect(Self.rights(path) == nil)
      }
    }

    @Test("its group's, too, by name or number")
    func group() async throws {
      // Whoever is not root may only give it to a group of his own.
      let group = geteuid() == 0 ? 1 : getegid()
      let name = try #require(getgrgid(group).map { String(cString: $0.pointee.gr_name) })
      try await withDatabase { database in
        let path = (database as NSString).deletingLastPathComponent + "/s"
        for text in [name, "\(group)"] {
          let server = try ServerProcess(
            database: database, ["--unix-socket", path, "--unix-socket-mode", "660", "--unix-socket-group", text])
          #expect(Self.rights(path) == Rights(mode: 0o660, group: group))
          #expect(server.stop() == .exited(0))
        }
        let refused = try Docket.run(
          "serve", "--port", "0", "--database", database, "--unix-socket", path, "--unix-socket-group", "no-such-group")
        #expect(refused.ending == .exited(1) && refused.errorLines.count == 1)
        #expect(refused.error.contains("there is no group 'no-such-group'"), "\(refused.error)")
        #expect(!FileManager.default.fileExists(atPath: path))
      }
    }
  }
}
