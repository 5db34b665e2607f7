import DocketClient
import DocketTestSupport
import DocketWire
import Foundation
import NIOCore
import Synchronization
import Testing

@Suite("A client's watch")
struct WatchTests {
  private typealias Script = @Sendable (ScriptedServer) throws -> Void

  /// Follows a watch of `/n/` and tells its events in short, until `count` of them have come or it ends.
  private static func follow(
    _ address: ServerAddress, _ options: WatchOptions, count: Int = .max
  ) async throws -> [String] {
    let client = DocketClient(address)
    var told: [String] = []
    do {
      for try await event in client.watch(.collection("/n/"), options) {
        told.append(short(event))
        if told.count == count { break }
      }
    } catch DocketClientError.refused(let refusal) {
      told.append("refused \(refusal.code) \(refusal.error ?? "")")
    } catch let error as DocketClientError {
      told.append("\(error)")
    }
    await client.close()
    return told
  }

  private static func short(_ event: WatchEvent) -> String {
    switch event {
    case .change(let change): "\(change.sequence.map(String.init) ?? change.path) \(change.kind)"
    case .live(let mark): "live \(mark.sequence)"
    case .heartbeat(let mark): "heartbeat \(mark.sequence)"
    case .reset: "reset"
    case .interrupted: "interrupted"
    }
  }

  @Test("goes on where it was when the connection is lost, in the middle of a batch and of a frame too")
  func resumption() async throws {
    let told = try await ScriptedServer.run { server in
      var connection = try server.accept()
      var watch = try ScriptedWatch(connection)
      #expect(watch.path == "/n/?watch=true" && watch.parameters == #""since": 16"#)
      #expect(watch.request.headers?["Connection"] == "keep-alive" && watch.request.id != nil)
      try watch.tell(ScriptedWatch.change(17, history: "h"), ScriptedWatch.change(18, "updated"))
      try connection.send(watch.frame(ScriptedWatch.change(19)).dropLast(3))
      connection.close()

      connection = try server.accept()
      watch = try ScriptedWatch(connection)
      #expect(watch.parameters == #""since": 18, "history": "h""#)
      // This server tells again what was told.
      try watch.tell(
        ScriptedWatch.change(18, "updated", history: "h"), ScriptedWatch.change(19),
        ScriptedWatch.mark("live", 19), ScriptedWatch.mark("heartbeat", 25))
      connection.close()

      connection = try server.accept()
      watch = try ScriptedWatch(connection)
      #expect(watch.parameters == #""since": 25, "history": "h""#)
      try watch.tell(ScriptedWatch.mark("live", 25, history: "h"), ScriptedWatch.change(26, "deleted"))
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      try await Self.follow(address, WatchOptions(from: .since(16)), count: 5)
    }
    #expect(told == ["17 created", "18 updated", "19 created", "live 19", "26 deleted"])
  }

  @Test("a snapshot that was cut off begins anew, behind a reset")
  func snapshot() async throws {
    let told = try await ScriptedServer.run { server in
      let lost = try server.accept()
      let cut = try ScriptedWatch(lost)
      #expect(cut.parameters == #""snapshot": true"#)
      try cut.tell(ScriptedWatch.snapshot(1, history: "h"), ScriptedWatch.snapshot(2))
      lost.close()
      let connection = try server.accept()
      let watch = try ScriptedWatch(connection)
      #expect(watch.parameters == #""snapshot": true"#)
      try watch.tell(
        ScriptedWatch.snapshot(1, history: "h"), ScriptedWatch.snapshot(3), ScriptedWatch.mark("live", 9),
        ScriptedWatch.change(10))
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      try await Self.follow(address, WatchOptions(from: .snapshot), count: 7)
    }
    #expect(
      told == [
        "/n/1 snapshot", "/n/2 snapshot", "reset", "/n/1 snapshot", "/n/3 snapshot", "live 9", "10 created",
      ])
  }

  @Test("where history is gone, a watch with a snapshot takes another one, and one without ends")
  func historyGone() async throws {
    let script: Script = { server in
      let connection = try server.accept()
      let watch = try ScriptedWatch(connection)
      try watch.tell(ScriptedWatch.mark("live", 9, history: "h"))
      try watch.end(410, "Gone", "history_gone")
      guard watch.parameters.contains("snapshot") else { return }
      let again = try server.accept()
      let next = try ScriptedWatch(again)
      #expect(next.parameters == #""snapshot": true"#)
      try next.tell(ScriptedWatch.snapshot(1, history: "h"), ScriptedWatch.mark("live", 20))
      #expect(throws: ScriptError.ended) { try again.request() }
    }
    let anew = try await ScriptedServer.run(script: script) { (address) async throws in
      try await Self.follow(address, WatchOptions(from: .snapshot), count: 4)
    }
    #expect(anew == ["live 9", "reset", "/n/1 snapshot", "live 20"])
    let ended = try await ScriptedServer.run(script: script) { (address) async throws in
      try await Self.follow(address, WatchOptions(from: .since(9)))
    }
    #expect(ended == ["live 9", "refused 410 history_gone"])
  }

  @Test("what is refused for good is thrown, once, and the connection closes", arguments: [400, 404, 409])
  func refusal(code: Int) async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      try ScriptedWatch(connection).end(code, "M", "e")
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      let client = DocketClient(address)
      var events = client.watch(.database).makeAsyncIterator()
      let error = await #expect(throws: DocketClientError.self) { try await events.next() }
      guard case .refused(let refusal) = error else { throw try #require(error) }
      #expect(refusal.code == code && refusal.error == "e")
      #expect(try await events.next() == nil)
      await client.close()
    }
  }

  @Test("a server that ends is asked again, and so is one that has no room")
  func refusedForNow() async throws {
    let told = try await ScriptedServer.run { server in
      let ending = try server.accept()
      let watch = try ScriptedWatch(ending)
      try watch.tell(ScriptedWatch.change(17, history: "h"))
      try watch.end(503, "Service Unavailable", "closing")
      ending.close()
      let full = try server.accept()
      try ScriptedWatch(full).end(503, "Service Unavailable", "too_many_watches")
      // As a listener refuses: without an id, and with the end of the connection in the place of the NUL.
      let fuller = try server.accept()
      _ = try fuller.request()
      try fuller.send(
        ScriptedConnection.frame(503, "Service Unavailable", #"{"error": "too_many_connections", "detail": "d"}"#))
      fuller.close()
      let connection = try server.accept()
      let next = try ScriptedWatch(connection)
      #expect(next.parameters == #""since": 17, "history": "h""#)
      try next.tell(ScriptedWatch.change(18, history: "h"))
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      try await Self.follow(address, WatchOptions(), count: 2)
    }
    #expect(told == ["17 created", "18 created"])
  }

  @Test("a connection that is silent for too long is given up, and heartbeats keep one")
  func silence() async throws {
    let told = try await ScriptedServer.run { server in
      let silent = try server.accept()
      let watch = try ScriptedWatch(silent)
      try watch.tell(ScriptedWatch.mark("live", 17, history: "h"))
      // Longer in all than it may be silent.
      for sequence in 18..<24 {
        Thread.sleep(forTimeInterval: 0.3)
        try watch.tell(ScriptedWatch.mark("heartbeat", sequence))
      }
      #expect(throws: ScriptError.ended) { try silent.request() }
      let connection = try server.accept()
      let next = try ScriptedWatch(connection)
      #expect(next.parameters.hasPrefix(#""since": "#))
      try next.tell(ScriptedWatch.mark("heartbeat", 30, history: "h"))
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      var options = WatchOptions(tellsHeartbeats: true, tellsInterruptions: true)
      options.maximumSilence = .milliseconds(1500)
      return try await Self.follow(address, options, count: 9)
    }
    #expect(told == ["live 17"] + (18..<24).map { "heartbeat \($0)" } + ["interrupted", "heartbeat 30"])
  }

  @Test("a server is held back by one who does not ask, however much it has, and then all comes in its order")
  func backPressure() async throws {
    let count = 500
    let document = "\"" + String(repeating: "x", count: 100_000) + "\""
    let sent = Mutex(0)
    let (blocked, block) = AsyncStream<Void>.makeStream()
    // The kernel keeps less for such a socket than for one of TCP.
    let path = "/tmp/docket-watch-\(UUID().uuidString).sock"
    defer { unlink(path) }
    try await ScriptedServer.run(unixSocket: path) { server in
      let connection = try server.accept()
      let watch = try ScriptedWatch(connection)
      try watch.tell(ScriptedWatch.mark("live", 0, history: "h"))
      // When nothing more has left for half a second, the way is full.
      let watchdog = Thread {
        var last = -1
        while true {
          Thread.sleep(forTimeInterval: 0.5)
          let now = sent.withLock { $0 }
          if now == last { break }
          last = now
        }
        block.finish()
      }
      watchdog.start()
      for sequence in 1...count {
        try watch.tell(ScriptedWatch.change(sequence, document: document))
        sent.withLock { $0 = sequence }
      }
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      let client = DocketClient(address)
      var events = client.watch(.database).makeAsyncIterator()
      #expect(try await events.next().map(Self.short) == "live 0")
      for await _ in blocked {}
      // Two megabytes of fifty: what the kernel keeps, what waits, and what was read last.
      #expect(sent.withLock { $0 } < 20)
      for sequence in 1...count {
        guard case .change(let change)? = try await events.next() else { throw Missing() }
        #expect(change.sequence == Int64(sequence) && change.document?.readableBytes == document.utf8.count)
      }
      await client.close()
    }
  }

  private struct Missing: Error {}

  @Test("what a server has sent before it went is told in full to one who asks later")
  func backlog() async throws {
    let told = try await ScriptedServer.run { server in
      let gone = try server.accept()
      let watch = try ScriptedWatch(gone)
      try watch.tell(ScriptedWatch.mark("live", 0, history: "h"))
      for sequence in 1...2000 { try watch.tell(ScriptedWatch.change(sequence)) }
      gone.close()
      let connection = try server.accept()
      let next = try ScriptedWatch(connection)
      #expect(next.parameters == #""since": 2000, "history": "h""#)
      try next.tell(ScriptedWatch.change(2001, history: "h"))
      #expect(throws: ScriptError.ended) { try connection.request() }
    } client: { (address) async throws in
      let client = DocketClient(address)
      var told: [Int64] = []
      for try await event in client.watch(.database) {
        guard case .change(let change) = event else {
          try await Task.sleep(for: .milliseconds(200))
          continue
        }
        told.append(change.sequence ?? 0)
        if told.count == 2001 { break }
      }
      await client.close()
      return told
    }
    #expect(told == Array(1...2001))
  }

  @Test("tells each change once, in order, wherever connections are cut")
  func cuts() async throws {
    let generator = SeededGenerator.forTest(named: "cut watches")
    let count = 400
    let told = try await ScriptedServer.run { server in
      var generator = generator
      while let connection = try? server.accept() {
        guard let watch = try? ScriptedWatch(connection) else { continue }
        let since = watch.parameters.split(separator: ",").first?.split(separator: " ").last.flatMap { Int($0) } ?? -1
        // What has been asked for last ends the test, and the client goes.
        guard (0..<count).contains(since) else { continue }
        var bytes: [UInt8] = []
        var history: String? = "h"
        for last in since + 1...count {
          // A server that reads its history again may tell a little of what it has told.
          for sequence in max(last - Int.random(in: 0...1, using: &generator), 1)...last {
            bytes += watch.frame(ScriptedWatch.change(sequence, history: history)) + [0]
            history = nil
          }
          if Int.random(in: 0..<10, using: &generator) == 0 {
            bytes += watch.frame(ScriptedWatch.mark("heartbeat", last)) + [0]
          }
        }
        // The client closes once it has all.
        try? connection.send(bytes.prefix(Int.random(in: 0...20_000, using: &generator)))
        connection.close()
      }
    } client: { (address) async throws in
      let client = DocketClient(address, configuration: ClientConfiguration(maximumPause: .milliseconds(1)))
      var told: [Int64] = []
      for try await event in client.watch(.database, WatchOptions(from: .since(0))) {
        guard case .change(let change) = event else { continue }
        told.append(change.sequence ?? 0)
        if told.count == count { break }
      }
      await client.close()
      return told
    }
    #expect(told == Array(1...Int64(count)))
  }

  @Test(
    "closes its connection when its task is cancelled, when its iterator goes, and with its client", arguments: 0..<3)
  func ends(how: Int) async throws {
    let (told, tell) = AsyncStream<Void>.makeStream()
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      try ScriptedWatch(connection).tell(ScriptedWatch.mark("live", 17, history: "h"))
      #expect(throws: ScriptError.ended) { try connection.request() }
      tell.finish()
      #expect(throws: (any Error).self) { try server.accept() }
    } client: { (address) async throws in
      let client = DocketClient(address)
      let (live, isLive) = AsyncStream<Void>.makeStream()
      let watching = Task {
        for try await _ in client.watch(.database) {
          isLive.finish()
          if how == 1 { break }
        }
      }
      for await _ in live {}
      switch how {
      case 0:
        watching.cancel()
        await #expect(throws: CancellationError.self) { try await watching.value }
      case 1: try await watching.value
      default:
        await client.close()
        await #expect(throws: DocketClientError.clientClosed) { try await watching.value }
      }
      for await _ in told {}
      await client.close()
      await #expect(throws: DocketClientError.clientClosed) {
        var events = client.watch(.database).makeAsyncIterator()
        return try await events.next()
      }
    }
  }

  @Test("a task that is cancelled already connects nowhere, and one that waits for a server ends")
  func cancelledWithoutServer() async throws {
    let client = DocketClient(.tcp(host: "127.0.0.1", port: 1))
    let cancelled = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      for try await _ in client.watch(.database) {}
    }
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    let waiting = Task { for try await _ in client.watch(.database) {} }
    try await Task.sleep(for: .milliseconds(100))
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    await client.close()
  }

  @Test("where nobody listens it ends after as many attempts as are allowed")
  func attempts() async throws {
    let nobody = try ScriptedServer(listens: false)
    for options in [WatchOptions(maximumAttempts: 3), WatchOptions(maximumFirstAttempts: 1)] {
      #expect(
        try await Self.follow(nobody.address, options)
          == ["\(DocketClientError.connectionFailed(nobody.address, reason: "Connection refused"))"])
    }
    withExtendedLifetime(nobody) {}
  }

  @Test("a frame longer than an answer may be ends it")
  func tooLong() async throws {
    try await ScriptedServer.run { server in
      let connection = try server.accept()
      let watch = try ScriptedWatch(connection)
      try? watch.tell(
        ScriptedWatch.change(1, document: "\"" + String(repeating: "x", count: 100_000) + "\"", history: "h"))
    } client: { (address) async throws in
      let client = DocketClient(address, configuration: ClientConfiguration(maximumAnswerBytes: 50_000))
      var events = client.watch(.database).makeAsyncIterator()
      await #expect(throws: DocketClientError.badAnswer(reason: "longer than 50000 bytes")) { try await events.next() }
      await client.close()
    }
  }
}
