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
  /// How much of it has been taken, and how much holds no NUL behind that.
  private var taken = 0
  private var searched = 0

  /// - Parameter receiveBufferBytes: how much the kernel is asked to take in for it; nil: as it sees fit.
  init(port: Int, receiveBufferBytes: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var bytes = receiveBufferBytes {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout.size(ofValue: bytes)))
    }
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

  /// Sends as much as is taken without waiting long.
  func sendWhatIsTaken(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      }
      if count > 0 {
        sent += count
      } else if errno != EAGAIN {
        throw Failure(operation: "send", code: errno)
      } else {
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, 500) > 0 else { return }
      }
    }
  }

  /// Takes what comes until nothing has for a while, and keeps it for later. Returns how many bytes are kept then.
  func takeWhatIsThere() throws -> Int {
    while hasInput(withinMilliseconds: 300), try receiveMore() {}
    return received.count - taken
  }

  /// Shuts down the sending side; answers still come.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// The next frame, its NUL left off; nil if the connection ended before one was complete.
  func receiveFrame() throws -> String? {
    while true {
      if let end = nextNUL() {
        defer {
          taken = end + 1
          searched = taken
        }
        return String(decoding: received[taken..<end], as: UTF8.self)
      }
      searched = received.count
      guard try receiveMore() else { return nil }
    }
  }

  private func nextNUL() -> Int? {
    received.withUnsafeBytes { bytes in
      guard searched < bytes.count, let start = bytes.baseAddress else { return nil }
      return memchr(start + searched, 0, bytes.count - searched).map { UnsafeRawPointer($0) - start }
    }
  }

  /// Everything until the other side ends the connection.
  func receiveToEnd() throws -> String {
    while try receiveMore() {}
    defer { (received, taken, searched) = ([], 0, 0) }
    return String(decoding: received[taken...], as: UTF8.self)
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

  /// Ends the connection in the same way, and leaves the descriptor to another thread that receives (connect(2), AF_UNSPEC).
  func cut() {
    var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    _ = Glibc.connect(descriptor, &nowhere, socklen_t(MemoryLayout.size(ofValue: nowhere)))
  }

  func receiveMore() throws -> Bool {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &bytes, bytes.count, 0)
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure(operation: "receive", code: errno)
      }
      if taken > received.count / 2 {
        received.removeSubrange(..<taken)
        searched -= taken
        taken = 0
      }
      received += bytes[..<count]
      return count > 0
    }
  }
}
