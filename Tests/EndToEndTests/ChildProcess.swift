import Foundation

/// A process that a test has started, with its output at hand. What still runs when the test lets go of it is killed.
final class ChildProcess: @unchecked Sendable {
  enum Ending: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let pid: pid_t
  private let output: Int32
  private let error: Int32
  // `@unchecked Sendable`: everything below is touched under the lock.
  private let lock = NSLock()
  private var outputText = ""
  private var errorText = ""
  private var ending: Ending?

  /// - Parameter environment: added to that of the tests.
  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    let output = try Self.pipe()
    let error = try Self.pipe()
    defer {
      close(output.write)
      close(error.write)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.write, 1)
    posix_spawn_file_actions_adddup2(&actions, error.write, 2)

    // A test's thread may block signals, and a child inherits that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    var argv = ([program] + arguments).map { strdup($0) } + [nil]
    var envp = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var pid = pid_t()
    let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
    self.pid = pid
    self.output = output.read
    self.error = error.read
    guard code == 0 else { throw Failure(description: "\(program): \(String(cString: strerror(code)))") }
  }

  deinit {
    if ending == nil {
      kill(pid, SIGKILL)
      _ = waitForEnd(seconds: 60)
    }
    close(output)
    close(error)
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// The next line of standard output, nil at its end.
  /// - Parameter seconds: a watchdog, not a promise.
  func readLine(seconds: Double = 60) -> String? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    return lock.withLock {
      while !outputText.contains("\n"), Self.fill(&outputText, from: output, until: deadline) {}
      guard let end = outputText.firstIndex(of: "\n") else { return nil }
      defer { outputText = String(outputText[outputText.index(after: end)...]) }
      return String(outputText[..<end])
    }
  }

  /// Waits until the process has ended; nil if it still runs when the watchdog barks.
  func waitForEnd(seconds: Double = 60) -> Ending? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    return lock.withLock {
      if let ending { return ending }
      // Its end closes both pipes, and that is what is waited for. Both are read, lest it blocks on a full one.
      while Self.fill(&outputText, from: output, until: deadline) {}
      while Self.fill(&errorText, from: error, until: deadline) {}
      guard Date() < deadline else { return nil }
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0 {
        precondition(errno == EINTR, "nobody else waits for this process")
      }
      let signal = status & 0x7F
      ending = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
      return ending
    }
  }

  /// What it has written to standard output and no line took, complete once it has ended.
  var remainingOutput: String { lock.withLock { outputText } }

  /// What it has written to standard error, complete once it has ended.
  var errorOutput: String {
    lock.withLock {
      while Self.fill(&errorText, from: error, until: Date()) {}
      return errorText
    }
  }

  /// Reads what is there or comes until the deadline; false at the end of the pipe or when nothing came.
  private static func fill(_ text: inout String, from descriptor: Int32, until deadline: Date) -> Bool {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let milliseconds = Int32(max(0, deadline.timeIntervalSinceNow * 1000).rounded(.up))
    guard poll(&ready, 1, milliseconds) > 0 else { return false }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let length = read(descriptor, &bytes, bytes.count)
    guard length > 0 else { return false }
    text += String(decoding: bytes[..<length], as: UTF8.self)
    return true
  }

  /// Closed in other children, so that the end of one process is seen whatever else runs.
  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else {
      throw Failure(description: "pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}
