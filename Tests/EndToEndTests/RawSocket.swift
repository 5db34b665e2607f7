import Foundation

/// A client that knows nothing of the protocol: bytes out, bytes in, each call waiting for as long as it takes.
final class RawSocket {
  struct Failure: Error, CustomStringConvertible {
    let operation: String
    let code: Int32

    var description: String { "\(operation): \(String(cString: strerror(code)))" }
  }

  private var descriptor: Int32
  private var received: [UInt8] = []

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    try connect(&address)
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout.size(ofValue: yes)))
  }

  init(unixSocket path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    try connect(&address)
  }

  deinit { close() }

  private func connect<Address>(_ address: inout Address) throws {
    // A watchdog: nothing here takes a minute unless it hangs.
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
    }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    if result != 0 {
      let code = errno
      close()
      throw Failure(operation: "connect", code: code)
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure(operation: "send", code: errno)
      }
      sent += count
    }
  }

  /// Takes what comes until nothing has for a while, and keeps it for later. Returns how many bytes are kept then.
  func takeWhatIsThere() throws -> Int {
    while hasInput(withinMilliseconds: 300), try receiveMore() {}
    return received.count
  }

  /// Shuts down the sending side; answers still come.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// The next frame, its NUL left off; nil if the connection ended before one was complete.
  func receiveFrame() throws -> String? {
    while true {
      if let end = received.firstIndex(of: 0) {
        defer { received.removeSubrange(...end) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      guard try receiveMore() else { return nil }
    }
  }

  /// Everything until the other side ends the connection.
  func receiveToEnd() throws -> String {
    while try receiveMore() {}
    defer { received = [] }
    return String(decoding: received, as: UTF8.self)
  }

  /// Sends a frame on a persistent session and waits for its answer.
  func exchange(_ frame: String) throws -> String? {
    try send(frame + "\0")
    return try receiveFrame()
  }

  /// Whether something to read comes in time, or is there already.
  func hasInput(withinMilliseconds milliseconds: Int32) -> Bool {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&ready, 1, milliseconds) > 0
  }

  func close() {
    guard descriptor >= 0 else { return }
    Foundation.close(descriptor)
    descriptor = -1
  }

  /// Ends the connection with a reset, as a process does that dies with bytes unread.
  func reset() {
    var now = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout.size(ofValue: now)))
    close()
  }

  private func receiveMore() throws -> Bool {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &bytes, bytes.count, 0)
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure(operation: "receive", code: errno)
      }
      received += bytes[..<count]
      return count > 0
    }
  }
}
