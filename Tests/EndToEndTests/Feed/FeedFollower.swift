import DocketTestSupport
import Foundation

/// A client that follows a feed over every break of its connection, and keeps a log of what it was told.
///
/// `@unchecked Sendable`: what changes is touched under the lock.
final class FeedFollower: @unchecked Sendable {
  private let port: Int
  private let path: String
  private let parameters: String
  private let beginsWithSnapshot: Bool
  private let lock = NSLock()
  private var events: [WatchedFrame] = []
  private var documents: [String: String] = [:]
  private var failures: [String] = []
  /// Where to go on; nil: from the beginning.
  private var position: Int?
  private var history: String?
  private var isStopped = false
  private var isAway = false
  private var socket: RawSocket?
  private var snapshots = 0
  private let done = DispatchSemaphore(value: 0)

  /// - Parameter parameters: what stands behind `watch=true`, its `&` included.
  init(port: Int, path: String = "/_changes", _ parameters: String = "", snapshot: Bool = false) {
    self.port = port
    self.path = path
    self.parameters = parameters
    beginsWithSnapshot = snapshot
    if !snapshot { position = 0 }
    Thread { [self] in
      while !lock.withLock({ isStopped }) {
        do {
          if !lock.withLock({ isAway }) { try follow() }
        } catch {}
        Thread.sleep(forTimeInterval: 0.01)
      }
      done.signal()
    }.start()
  }

  /// What it was told of changes, in the order in which it came.
  var log: [WatchedFrame] { lock.withLock { events } }

  /// The documents as they are by what it was told, each as its path and text.
  var state: [String] { lock.withLock { documents.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" } } }

  /// What should not have come.
  var complaints: [String] { lock.withLock { failures } }

  /// How often it began with a snapshot.
  var beginnings: Int { lock.withLock { snapshots } }

  /// Ends its connection as a client does that dies.
  func breakConnection() { lock.withLock { socket }?.cut() }

  /// Ends its connection, and makes no other one while `body` runs.
  func away(_ body: () throws -> Void) rethrows {
    lock.withLock { isAway = true }
    breakConnection()
    defer { lock.withLock { isAway = false } }
    try body()
  }

  /// Waits until it was told of a change, or of how far the feed is.
  /// - Returns: whether that came within a minute.
  func waitUntil(sequence: Int) -> Bool {
    for _ in 0..<6_000 {
      if lock.withLock({ position ?? 0 >= sequence }) { return true }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return false
  }

  func stop() {
    lock.withLock { isStopped = true }
    breakConnection()
    _ = done.wait(timeout: .now() + 60)
  }

  private func follow() throws {
    let socket = try RawSocket(port: port)
    let place = lock.withLock { () -> String in
      self.socket = socket
      guard let position else {
        snapshots += 1
        documents = [:]
        return "&snapshot=true"
      }
      return "&since=\(position)" + (history.map { "&history=\($0)" } ?? "")
    }
    try socket.send(
      #"{"method":"GET","path":"\#(path)?watch=true&heartbeat=1\#(place)\#(parameters)","id":"f","headers":{"Connection":"keep-alive"}}"#
        + "\0")
    while let text = try socket.receiveFrame() {
      let frame = try WatchedFrame(text)
      lock.withLock { take(frame) }
      if !frame.continues { return }
    }
  }

  private func take(_ frame: WatchedFrame) {
    if let name = frame.history {
      if let history, history != name { failures.append("history \(name) after \(history)") }
      history = name
    }
    switch frame.change {
    case "snapshot": documents[frame.path ?? ""] = frame.document
    case "live", "heartbeat":
      let sequence = frame.sequence ?? -1
      if sequence < position ?? 0 { failures.append("\(frame) behind \(position ?? 0)") }
      position = sequence
    case "created", "updated", "deleted", "expired", "left":
      guard let before = position, let sequence = frame.sequence, sequence > before else {
        return failures.append("\(frame) behind \(position ?? -1)")
      }
      position = sequence
      events.append(frame)
      documents[frame.path ?? ""] = frame.change == "left" ? nil : frame.document
    default:
      if frame.error == "history_gone", beginsWithSnapshot {
        position = nil
      } else if frame.error != "closing" {
        failures.append(frame.text)
      }
    }
  }
}

/// What a feed should have told, by the tables themselves.
enum FeedTruth {
  /// Every change, as frames are described, with its batch behind.
  static func changes(_ database: String) throws -> [String] {
    let rows = try lines(
      database,
      """
      SELECT json_array(c.sequence, c.kind, c.collection || c.id,
        CASE WHEN c.kind IN ('deleted', 'expired') THEN NULL
          ELSE coalesce(n.before, (SELECT data FROM document_rows d WHERE d.revision = c.sequence)) END, c.batch)
      FROM changes c LEFT JOIN changes n ON n.previous = c.sequence ORDER BY c.sequence;
      """)
    return try rows.map { row in
      let values = try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [Any] ?? []
      let document = try (values[3] as? String).map { try WatchedFrame.canonical(text: $0) }
      let batch = (values[4] as? Int).map { "in \($0)" }
      return ["\(values[0])", "\(values[1])", "\(values[2])", document, batch].compactMap { $0 }.joined(separator: " ")
    }
  }

  /// Every document, as `FeedFollower.state` has them.
  static func documents(_ database: String, where condition: String = "1") throws -> [String] {
    let rows = try lines(
      database,
      "SELECT json_array(collection || id, data) FROM document_rows WHERE \(condition) ORDER BY collection || id;")
    return try rows.map { row in
      let values = try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String] ?? []
      return "\(values[0]) \(try WatchedFrame.canonical(text: values[1]))"
    }
  }

  static func newest(_ database: String) throws -> Int {
    Int(try lines(database, "SELECT max(sequence) FROM changes;").first ?? "") ?? 0
  }

  private static func lines(_ database: String, _ query: String) throws -> [String] {
    let outcome = try SQLiteCommand.run(database, ".timeout 10000\n" + query)
    guard outcome.status == 0 else { throw ChildProcess.Failure(description: outcome.error) }
    return outcome.output.split(separator: "\n").map(String.init)
  }
}

extension WatchedFrame {
  /// As `FeedTruth` tells it.
  var account: String { [description, batch.map { "in \($0)" }].compactMap { $0 }.joined(separator: " ") }
}
