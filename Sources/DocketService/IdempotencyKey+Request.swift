import DocketStore
import DocketWire
import NIOCore

extension IdempotencyKey {
  /// The longest key, in bytes of UTF-8.
  static let maximumBytes = 255

  /// The key that a request names in its header `Idempotency-Key`; nil where it names none.
  init?(_ request: Request) throws(ParameterError) {
    guard let headers = request.headers, let name = headers["Idempotency-Key"] else { return nil }
    guard (1...Self.maximumBytes).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw ParameterError(
        code: "invalid_idempotency_key",
        detail:
          "Idempotency-Key must be a text of 1 to \(Self.maximumBytes) bytes without control characters, such as a UUID."
      )
    }
    var fingerprint = Fingerprint()
    fingerprint.add(request.method.rawValue)
    request.path.withUnsafeReadableBytes { fingerprint.add($0) }
    request.data?.withUnsafeReadableBytes { fingerprint.add($0) }
    for name in ["If-Match", "If-None-Match", "Expires-In"] { fingerprint.add(headers[name] ?? "") }
    self.init(name: name, fingerprint: fingerprint.value)
  }
}
