import DocketWire
import Foundation
import NIOCore

/// A frame that a client read: of a watch, or an answer.
struct WatchedFrame: CustomStringConvertible {
  let text: String
  private let envelope: [String: Any]

  init(_ text: String) throws {
    self.text = text
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    envelope = object as? [String: Any] ?? [:]
  }

  var code: Int { envelope["code"] as? Int ?? 0 }
  /// As text, whether it was a string or a number.
  var id: String? { envelope["id"].map { "\($0)" } }
  var continues: Bool { envelope["continues"] as? Bool == true }

  private var data: [String: Any] { envelope["data"] as? [String: Any] ?? [:] }

  var change: String? { data["change"] as? String }
  var sequence: Int? { data["sequence"] as? Int }
  var revision: Int? { data["revision"] as? Int }
  var path: String? { data["path"] as? String }
  var batch: Int? { data["batch"] as? Int }
  var history: String? { data["history"] as? String }
  var error: String? { data["error"] as? String }
  var retryAfter: Int? { data["retryAfter"] as? Int }
  /// Of a token that was made.
  var token: String? { data["token"] as? String }
  var count: Int? { data["count"] as? Int }
  var next: String? { data["next"].flatMap { $0 is NSNull ? nil : "\($0)" } }
  /// The paths of its items, in order.
  var paths: [String] { (data["items"] as? [[String: Any]] ?? []).compactMap { $0["path"] as? String } }
  var headers: [String: String] { envelope["headers"] as? [String: String] ?? [:] }

  /// With its keys in order; nil for null.
  var document: String? {
    guard let document = data["document"], !(document is NSNull) else { return nil }
    return Self.canonical(document)
  }

  /// `18 created /n/1 {"v":1}`
  var description: String {
    guard let change else { return text }
    return [sequence.map(String.init) ?? "-", change, path, document].compactMap { $0 }.joined(separator: " ")
  }

  /// A JSON text with its keys in order and without spaces.
  static func canonical(text: String) throws -> String {
    canonical(try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed))
  }

  private static func canonical(_ value: Any) -> String {
    let data = try? JSONSerialization.data(
      withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed, .withoutEscapingSlashes])
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "?"
  }
}

/// A persistent session that watches.
final class WatchClient {
  let socket: RawSocket

  init(_ server: ServerProcess) throws {
    socket = try server.connect()
    try send(#"{"method":"GET","path":"/_health","headers":{"Connection":"keep-alive"}}"#)
    _ = try socket.receiveFrame()
  }

  func send(_ request: String) throws { try socket.send(request + "\0") }

  /// - Parameter parameters: what stands behind `watch=true`, its `&` included.
  func watch(_ path: String, id: String = "\"w\"", _ parameters: String = "") throws {
    try send(#"{"method":"GET","path":"\#(path)?watch=true\#(parameters)","id":\#(id)}"#)
  }

  /// The next frame; nil where the connection has ended.
  func next() throws -> WatchedFrame? { try socket.receiveFrame().map { try WatchedFrame($0) } }

  /// The next frames, each as its description.
  func next(_ count: Int) throws -> [String] {
    try (0..<count).map { _ in try next()?.description ?? "nothing" }
  }

  /// Sends a request and returns its answer. Frames of watches that come before it are lost.
  func answer(to request: String) throws -> WatchedFrame? {
    try send(request)
    while let frame = try next() { if !frame.continues { return frame } }
    return nil
  }
}
