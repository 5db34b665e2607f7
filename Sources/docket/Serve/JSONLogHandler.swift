import DocketJSON
import DocketService
import DocketStore
import Logging
import NIOCore

/// Writes the log for programs: one object of JSON a line.
///
///     {"time": "2026-11-23T09:08:07.065Z", "level": "notice", "logger": "docket", "message": "…", "metadata": {"id": "7"}}
struct JSONLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel = Logger.Level.info
  private let label: String
  private let write: @Sendable ([UInt8]) -> Void

  /// - Parameter write: takes a line with its end, from any thread.
  init(label: String, write: @escaping @Sendable ([UInt8]) -> Void) {
    self.label = label
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var metadata = metadata
    for more in [metadataProvider?.get(), event.metadata] {
      if let more { metadata.merge(more) { _, new in new } }
    }
    if let error = event.error { metadata["error"] = "\(error)" }
    var line = ByteBuffer(
      string: "{\"time\": \"\(Timestamp.now.rfc3339)\", \"level\": \"\(event.level)\", \"logger\": ")
    line.writeJSONString(label)
    line.writeStaticString(", \"message\": ")
    line.writeJSONString("\(event.message)")
    if !metadata.isEmpty {
      line.writeStaticString(", \"metadata\": ")
      Self.write(.dictionary(metadata), to: &line)
    }
    line.writeStaticString("}\n")
    write(Array(line.readableBytesView))
  }

  private static func write(_ value: Logger.Metadata.Value, to line: inout ByteBuffer) {
    switch value {
    case .string(let text): line.writeJSONString(text)
    case .stringConvertible(let value): line.writeJSONString(value.description)
    case .array(let values):
      line.writeStaticString("[")
      for (index, value) in values.enumerated() {
        if index > 0 { line.writeStaticString(", ") }
        write(value, to: &line)
      }
      line.writeStaticString("]")
    case .dictionary(let members):
      line.writeStaticString("{")
      for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { line.writeStaticString(", ") }
        line.writeJSONString(member.key)
        line.writeStaticString(": ")
        write(member.value, to: &line)
      }
      line.writeStaticString("}")
    }
  }
}
