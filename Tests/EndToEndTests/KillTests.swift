import DocketTestSupport
import Foundation
import Testing

extension EndToEnd {
  @Suite("survives kill -9")
  struct KillTests {
    @Test("with every acknowledged write there, while sixteen clients create, replace and delete")
    func acknowledgedWritesSurvive() async throws {
      let rounds = count("DOCKET_TEST_KILL_ROUNDS", default: 20)
      let seed = SeededGenerator.forTest(named: "kill -9")
      try await withDatabase { database in
        var generator = seed
        var clients = (0..<16).map { KillClient(number: $0, seed: generator.next()) }
        for round in 0..<rounds {
          let server = try ServerProcess(database: database)
          for index in clients.indices { try clients[index].reconcile(with: server) }
          // Killed at the acknowledgement of some write, so in the middle of those of the other clients.
          let acknowledgements = Int.random(in: 1...400, using: &generator)
          clients = Self.write(clients, until: acknowledgements, server)
          #expect(server.process.waitForEnd() == .signalled(SIGKILL))
          for client in clients { #expect(client.complaint == nil) }
          try TemporaryDatabase.check(database)
          try Self.checkChanges(database, "round \(round)")
        }
        let server = try ServerProcess(database: database)
        for index in clients.indices { try clients[index].reconcile(with: server) }
        #expect(server.stop() == .exited(0))
        #expect(clients.map(\.acknowledged).reduce(0, +) >= rounds)
      }
    }

    /// Lets the clients write at once, kills the server at the given number of acknowledgements, and returns what they
    /// know then.
    private static func write(
      _ clients: [KillClient], until acknowledgements: Int, _ server: ServerProcess
    ) -> [KillClient] {
      let countdown = Countdown(acknowledgements) { server.process.signal(SIGKILL) }
      let results = Collected(clients)
      let group = DispatchGroup()
      for (index, client) in clients.enumerated() {
        group.enter()
        Thread {
          var client = client
          client.writeUntilCut(off: server, countdown)
          results.set(index, client)
          group.leave()
        }.start()
      }
      group.wait()
      return results.values
    }

    /// What the file holds agrees with itself: one chain of changes for each document, and none without its number.
    private static func checkChanges(_ database: String, _ what: String) throws {
      let broken = try SQLiteCommand.run(
        database,
        """
        SELECT 'revision without its change', collection, id FROM document_rows d WHERE NOT EXISTS (
          SELECT 1 FROM changes c WHERE c.sequence = d.revision AND c.collection = d.collection AND c.id = d.id
            AND c.kind IN ('created', 'updated'));
        SELECT 'live and a tombstone', collection, id FROM document_rows JOIN tombstones USING (collection, id);
        SELECT 'tombstone without its change', collection, id FROM tombstones t WHERE NOT EXISTS (
          SELECT 1 FROM changes c WHERE c.sequence = t.sequence AND c.collection = t.collection AND c.id = t.id
            AND c.kind = 'deleted');
        SELECT 'chain broken', sequence FROM changes c WHERE previous IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM changes p WHERE p.sequence = c.previous AND p.collection = c.collection AND p.id = c.id)
          AND previous >= (SELECT min(sequence) FROM changes);
        SELECT 'numbers missing', count(*) FROM changes HAVING max(sequence) - min(sequence) + 1 <> count(*);
        """)
      #expect(broken.status == 0 && broken.output == "" && broken.error == "", "\(what): \(broken)")
    }
  }
}

/// Does something once, when it has been counted down.
private final class Countdown: @unchecked Sendable {
  // `@unchecked Sendable`: the count is touched under the lock.
  private let lock = NSLock()
  private var left: Int
  private let action: @Sendable () -> Void

  init(_ count: Int, _ action: @escaping @Sendable () -> Void) {
    left = count
    self.action = action
  }

  func step() {
    let isLast = lock.withLock {
      left -= 1
      return left == 0
    }
    if isLast { action() }
  }
}

/// The results of threads, each in its place.
private final class Collected<Value>: @unchecked Sendable {
  // `@unchecked Sendable`: the values are touched under the lock.
  private let lock = NSLock()
  private var stored: [Value]

  init(_ values: [Value]) { stored = values }

  func set(_ index: Int, _ value: Value) { lock.withLock { stored[index] = value } }

  var values: [Value] { lock.withLock { stored } }
}

/// A client that writes its own documents one after another and knows what the server has acknowledged.
private struct KillClient: Sendable {
  private let collection: String
  private var generator: SeededGenerator
  /// The last acknowledged state of each document: its text, nil when it was deleted.
  private var known: [String: String?] = [:]
  /// The write that was on its way when the server died: it may or may not have happened.
  private var pending: (id: String, text: String?)?
  private var written = 0
  private(set) var acknowledged = 0
  /// An answer that no write should get.
  private(set) var complaint: String?

  init(number: Int, seed: UInt64) {
    collection = "/client\(number)/"
    generator = SeededGenerator(seed: seed)
  }

  mutating func writeUntilCut(off server: ServerProcess, _ countdown: Countdown) {
    guard let socket = try? server.connect() else { return }
    while true {
      written += 1
      let id = "\(Int.random(in: 0..<8, using: &generator))"
      let isDeletion = Int.random(in: 0..<4, using: &generator) == 0
      // Some texts span several pages of the database.
      let padding = String(repeating: "x", count: Int.random(in: 0..<20, using: &generator) == 0 ? 9_000 : 20)
      let text = isDeletion ? nil : "{\"n\":\(written),\"x\":\"\(padding)\"}"
      pending = (id, text)
      let headers = #""headers":{"Connection":"keep-alive"}"#
      let frame =
        text.map { #"{"method":"PUT","path":"\#(collection)\#(id)",\#(headers),"data":\#($0)}"# }
        ?? #"{"method":"DELETE","path":"\#(collection)\#(id)",\#(headers)}"#
      guard let answer = try? socket.exchange(frame) else { return }
      guard ["200", "201", "204", "404"].contains(where: { answer.hasPrefix("{\"code\": \($0),") }) else {
        complaint = "\(frame) was answered \(answer)"
        return
      }
      known[id] = .some(text)
      pending = nil
      acknowledged += 1
      countdown.step()
    }
  }

  /// Compares what the server has with what it has acknowledged, and learns what became of the pending write.
  mutating func reconcile(with server: ServerProcess) throws {
    let socket = try server.connect()
    for id in Set(known.keys).union(pending.map { [$0.id] } ?? []).sorted() {
      let answer = try socket.exchange(
        #"{"method":"GET","path":"\#(collection)\#(id)","headers":{"Connection":"keep-alive"}}"#)
      let found = answer.flatMap { Self.data(of: $0) }
      let acknowledged = known[id] ?? nil
      if let pending, pending.id == id, found == pending.text {
        known[id] = .some(pending.text)
      } else {
        #expect(found == acknowledged, "\(collection)\(id), answered \(answer?.prefix(200) ?? "nothing")")
      }
    }
    pending = nil
  }

  /// The document in an answer; nil where there was none.
  private static func data(of answer: String) -> String? {
    let start = #"{"code": 200, "message": "OK", "data": "#
    guard answer.hasPrefix(start), let end = answer.range(of: #", "headers": "#, options: .backwards) else {
      return nil
    }
    return String(answer[answer.index(answer.startIndex, offsetBy: start.count)..<end.lowerBound])
  }
}
