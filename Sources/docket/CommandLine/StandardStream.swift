import ArgumentParser
import Glibc

/// Standard output or standard error, written without buffers, so that nothing is lost when the process ends.
struct StandardStream {
  private let descriptor: Int32
  private let name: String

  static let output = Self(descriptor: STDOUT_FILENO, name: "standard output")
  static let error = Self(descriptor: STDERR_FILENO, name: "standard error")

  /// Puts something that can neither be read from nor written to in the place of what is closed of standard input, output and error.
  /// Otherwise the next file that is opened would take the place.
  static func occupyClosed() {
    for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
    where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest number that is free, which this is (open(2)).
      _ = open("/dev/null", mode)
    }
  }

  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Waits until nobody can read any more what is written. It blocks, for ever where that cannot happen.
  func waitForReaderToGo() {
    // There never was one (`occupyClosed`).
    guard fcntl(descriptor, F_GETFL) & O_ACCMODE != O_RDONLY else { return }
    // No event is asked for; errors are told all the same (poll(2)).
    var entry = pollfd(fd: descriptor, events: 0, revents: 0)
    while poll(&entry, 1, -1) < 0, errno == EINTR {}
  }

  func writeLine(_ text: String) throws {
    try write(Array((text + "\n").utf8)[...])
  }

  /// Writes all of it.
  /// - Throws: `CommandFailure`. When the reader has gone (`docket list … | head`) it is an `ExitCode`, without a word.
  func write(_ bytes: ArraySlice<UInt8>) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
        continue
      }
      switch errno {
      case EINTR:
        continue
      case EAGAIN:
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&entry, 1, -1)
      case EPIPE:
        throw ExitCode.failure
      case let code:
        throw CommandFailure("cannot write to \(name): \(String(cString: strerror(code)))")
      }
    }
  }
}
