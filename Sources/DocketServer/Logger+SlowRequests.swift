import DocketService
import DocketWire
import Logging

extension Logger {
  /// Tells of a request that took long.
  /// - Parameters:
  ///   - request: nil for something that was no request.
  ///   - id: by which it is known elsewhere.
  ///   - connection: who has asked.
  package func slowRequest(
    _ request: RequestSummary?, id: String?, _ kind: RequestKind, _ status: Status, nanoseconds: UInt64,
    connection: String
  ) {
    var metadata: Logger.Metadata = [
      "kind": "\(kind)", "milliseconds": "\(nanoseconds / 1_000_000)", "status": "\(status.rawValue)",
      "connection": "\(connection)",
    ]
    if let id { metadata["id"] = .string(id) }
    notice("slow request: \(request?.method ?? "-") \(request?.path ?? "-")", metadata: metadata)
  }
}
