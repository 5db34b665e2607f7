import Glibc

/// Tells a service manager that the server serves, where one asked for it (sd_notify(3), `Type=notify`): what depends
/// on the service begins then and not before, and a start that fails is seen as one.
struct ReadyNotification {
  enum Failure: Error, Equatable, CustomStringConvertible {
    case badAddress(String)
    case notSent(String, reason: String)

    var description: String {
      switch self {
      case .badAddress(let name):
        "NOTIFY_SOCKET is '\(name)': a path from the root or an abstract name behind an @, of 2 to 107 bytes"
      case .notSent(let name, let reason):
        "The service manager was not told that the server is ready: NOTIFY_SOCKET \(name): \(reason)"
      }
    }
  }

  private let name: String

  /// - Parameter environment: of the process. Without `NOTIFY_SOCKET` there is nobody to tell.
  init?(environment: [String: String]) {
    guard let name = environment["NOTIFY_SOCKET"], !name.isEmpty else { return nil }
    self.name = name
  }

  /// - Parameter status: a line for people, which `systemctl status` shows.
  func send(status: String) throws(Failure) {
    let address = try address()
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    let line = status.utf8.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }
    let message = Array("READY=1\nSTATUS=".utf8) + line
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count)
    let sent = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
    guard sent == message.count else { throw failure() }
  }

  /// unix(7): a path, which a NUL ends, or, where the first byte is NUL, a name of as many bytes as the length says.
  private func address() throws(Failure) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    guard bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@"),
      (2..<MemoryLayout.size(ofValue: address.sun_path)).contains(bytes.count)
    else { throw .badAddress(name) }
    if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return address
  }

  private func failure() -> Failure { .notSent(name, reason: String(cString: strerror(errno))) }
}
