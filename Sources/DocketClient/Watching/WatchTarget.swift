import DocketWire
import NIOCore

/// What a watch asks its server for, wherever it begins.
struct WatchTarget: Sendable, Equatable {
  /// The only request of its connection has this `id`.
  static let id = ByteBuffer(staticString: "\"watch\"")

  private let path: ByteBuffer
  /// JSON text.
  private let condition: ByteBuffer?
  private let heartbeatSeconds: Int

  /// - Throws: `DocketClientError.invalidNumber` or `invalidDocument`, where the condition cannot be sent.
  init(_ scope: WatchScope, _ options: WatchOptions) throws(DocketClientError) {
    path = ByteBuffer(string: scope.target)
    condition = try options.condition?.json
    if let condition { try DocketClient.check(condition) }
    heartbeatSeconds = options.heartbeatSeconds
  }

  func request(from start: WatchStart) -> Request {
    var data = ByteBuffer(string: "{\"heartbeat\": \(heartbeatSeconds)")
    switch start {
    case .now: break
    case .since(let sequence, let history):
      data.writeString(", \"since\": \(sequence)")
      if let history {
        data.writeStaticString(", \"history\": ")
        data.writeJSONString(history)
      }
    case .snapshot: data.writeStaticString(", \"snapshot\": true")
    }
    if let condition {
      data.writeStaticString(", \"where\": ")
      data.writeImmutableBuffer(condition)
    }
    data.writeStaticString("}")
    return Request(
      method: .get, path: path, data: data, id: Self.id, headers: Headers([("Connection", "keep-alive")]))
  }
}
