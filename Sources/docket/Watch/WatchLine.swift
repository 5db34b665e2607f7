import DocketClient
import NIOCore

/// How an event stands on a line.
enum WatchLine {
  /// Where there is no sequence.
  static let none = "-"
  /// What stands for a reset, of which the server tells nothing.
  static let reset = ByteBuffer(staticString: "{\"change\": \"reset\"}")

  /// For people: `18 created /notes/42 {"a": 1}`. Nil: the event has no line.
  static func text(_ event: WatchEvent) -> [UInt8]? {
    switch event {
    case .change(let change):
      let head = "\(change.sequence.map(String.init) ?? none) \(change.kind.rawValue) "
      let line = Array(head.utf8) + column(change.path)
      return change.document.map { line + [UInt8(ascii: " ")] + DocumentOutput.oneLine($0) } ?? line
    case .reset: return Array("\(none) reset".utf8)
    case .live, .heartbeat, .interrupted: return nil
    }
  }

  /// For programs: the event as the server told it. Nil: the event has no line.
  static func json(_ event: WatchEvent) -> [UInt8]? {
    switch event {
    case .change(let change): DocumentOutput.oneLine(change.json)
    case .live(let mark): DocumentOutput.oneLine(mark.json)
    case .reset: DocumentOutput.oneLine(reset)
    case .heartbeat, .interrupted: nil
    }
  }

  /// A path without spaces, so that it is one column. Requests may name it so, too.
  private static func column(_ path: String) -> [UInt8] {
    path.utf8.flatMap { $0 == UInt8(ascii: " ") ? Array("%20".utf8) : [$0] }
  }
}
