import Foundation

/// What a service manager listens on for the notifications of its services (sd_notify(3)).
final class NotificationSocket {
  /// As in `NOTIFY_SOCKET`.
  let path: String
  private let descriptor: Int32

  init(path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    // A watchdog: nothing here takes a minute unless it hangs.
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw RawSocket.Failure(operation: "bind", code: errno) }
  }

  deinit { close(descriptor) }

  /// The next notification.
  func receive() throws -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw RawSocket.Failure(operation: "receive", code: errno) }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
