import NIOCore
import Testing

@testable import docket

@Suite("What docket stats prints")
struct StatsPageTests {
  private static func stats(reads: Int, revision: Int = 10) throws -> ServerStats {
    try #require(
      ServerStats(
        ByteBuffer(
          string: """
            {"history": "h", "revision": \(revision), "oldestRevision": 2, "engine": "SQLite 3", "watches": 4, "version": "1.2.3", \
            "uptimeSeconds": 3725, "databaseBytes": 2097152, "logBytes": 512, "freeBytes": 1073741824, \
            "connections": {"native": 3, "http": 2}, "writeQueue": {"bytes": 0, "limitBytes": 1024}, \
            "waitingAnswers": {"bytes": 3072, "limitBytes": 1048576}, \
            "writeGroups": {"count": 5, "mean": 2.5}, "logSyncs": {"count": 0}, \
            "requests": {"read": {"count": \(reads), "refused": 1, "failed": 0, "p50Milliseconds": 0.05, "p99Milliseconds": 12.34}}}
            """)))
  }

  @Test("A page has the sizes, the connections and a line for each kind of request")
  func page() throws {
    let lines = StatsPage(stats: try Self.stats(reads: 7)).lines
    #expect(lines[0] == "docket 1.2.3, SQLite 3, up 1 h 2 min")
    #expect(lines[1] == "database 2.00 MiB, log 512 B, room 1.00 GiB")
    #expect(lines[3] == "connections 5 (native 3, http 2), watches 4")
    #expect(lines[5] == "answers not taken 3.00 KiB of 1.00 MiB")
    #expect(lines.last?.split(separator: " ") == ["read", "7", "1", "0", "0.05", "12.3"])
  }

  @Test("With what was told before there are rates, which are none where the server began anew")
  func rates() throws {
    let earlier = (stats: try Self.stats(reads: 7, revision: 6), seconds: 2.0)
    let lines = StatsPage(stats: try Self.stats(reads: 27), earlier: earlier).lines
    #expect(lines.last?.split(separator: " ").last == "10")
    #expect(lines[2].contains("changes 10 (2 a second)"))
    let anew = StatsPage(stats: try Self.stats(reads: 1), earlier: earlier)
    #expect(anew.lines.last?.split(separator: " ").last == "0")
    #expect(anew.line(at: "t").hasPrefix("t requests/s 0 changes/s 2 connections 5 watches 4 "))
  }

  @Test("Figures that an older server does not tell are left open")
  func older() throws {
    let stats = try #require(ServerStats(ByteBuffer(string: #"{"revision": 3, "watches": 0}"#)))
    #expect(StatsPage(stats: stats).lines[1] == "database ?, log ?, room ?")
  }
}
