import DocketClient
import DocketStore
import NIOCore

/// A line on a terminal that tells how far the server is with what new settings need, as its `/_stats` say.
struct SettingsProgress {
  private let polling: Task<Void, Never>?

  /// - Parameter isShown: whether there is anything to wait for.
  init(_ server: ServerOptions, isShown: Bool) {
    guard isShown, StandardStream.error.isTerminal else {
      polling = nil
      return
    }
    polling = Task {
      // It is for people: where it cannot be told, the answer will say why.
      try? await server.withClient { client in
        while true {
          try await Task.sleep(for: .milliseconds(250))
          if let line = Self.line(try await client.get("/_stats")) { try Self.show(line) }
        }
      }
      try? Self.show("")
    }
  }

  /// Takes the line away, so that something else can be told.
  func end() async {
    polling?.cancel()
    await polling?.value
  }

  private static func show(_ line: String) throws {
    try StandardStream.error.write(Array("\r\u{1B}[K\(line)".utf8)[...])
  }

  /// `/notes/ ["status"]: 43%`; nil while nothing is made.
  static func line(_ stats: ByteBuffer) -> String? {
    stats.withUnsafeReadableBytes { text in
      func member(_ name: String) -> DocketStore.QueryValue { FieldPath(unchecked: ["making", name]).value(in: text) }
      guard case .string(let name) = member("name"), case .number(let percent) = member("percent") else { return nil }
      return "\(String(decoding: name, as: UTF8.self)): \(String(decoding: percent.token, as: UTF8.self))%"
    }
  }
}
