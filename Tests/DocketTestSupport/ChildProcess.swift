import Foundation

/// A process that a test has started, with its output at hand. What still runs when the test lets go of it is killed.
///
/// Foundation's `Process` walks through all open descriptors when it starts one, and reads beyond their list when a thousand are open
/// and others come and go meanwhile.
public final class ChildProcess: @unchecked Sendable {
  public enum Ending: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  public struct Failure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
  }

  public let pid: pid_t
  private let output: Int32
  private let error: Int32
  // `@unchecked Sendable`: everything below is touched under the lock.
  private let lock = NSLock()
  private var input: Int32?
  private var outputBytes: [UInt8] = []
  private var errorBytes: [UInt8] = []
  private var ending: Ending?
  private let watchdog: any DispatchSourceTimer
  /// One that runs as long as this hangs. It is killed, so that whoever waits for it goes on and its test fails.
  private static let lifetimeSeconds = 900

  /// `posix_spawn_file_actions_addclosefrom_np`, which glibc's headers show to those alone who ask for its own.
  private static let addCloseFrom: AddCloseFrom = {
    guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
      preconditionFailure("glibc has it since 2.34")
    }
    return unsafeBitCast(symbol, to: AddCloseFrom.self)
  }()
  private typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Void

  /// - Parameters:
  ///   - program: its path, or a name that is looked for as a shell does.
  ///   - environment: added to that of the tests.
  ///   - hasInput: whether it reads what it is sent; otherwise it finds nothing to read.
  public init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], hasInput: Bool = false
  ) throws {
    let output = try Self.pipe()
    let error = try Self.pipe()
    let input = hasInput ? try Self.pipe() : nil
    defer {
      close(output.write)
      close(error.write)
      if let input { close(input.read) }
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input.read, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, output.write, 1)
    posix_spawn_file_actions_adddup2(&actions, error.write, 2)
    // Of other tests' sockets it has none: they would stay open with it, and nobody would see their ends.
    Self.addCloseFrom(&actions, 3)

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
    let code = posix_spawnp(&pid, program, &actions, &attributes, &argv, &envp)
    self.pid = pid
    self.output = output.read
    self.error = error.read
    self.input = input?.write
    watchdog = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "docket.test.watchdog"))
    watchdog.schedule(deadline: .now() + .seconds(Self.lifetimeSeconds))
    watchdog.setEventHandler { [weak self] in self?.endOverdue() }
    watchdog.activate()
    guard code == 0 else { throw Failure(description: "\(program): \(String(cString: strerror(code)))") }
  }

  deinit {
    watchdog.cancel()
    if ending == nil {
      kill(pid, SIGKILL)
      _ = waitForEnd()
    }
    close(output)
    close(error)
    if let input { close(input) }
  }

  public func signal(_ number: Int32) { kill(pid, number) }

  private func endOverdue() {
    lock.withLock {
      if ending == nil { kill(pid, SIGKILL) }
    }
  }

  /// Has it read a text.
  public func send(_ text: String) throws {
    guard let input = lock.withLock({ input }) else { throw Failure(description: "it has no input") }
    try FileHandle(fileDescriptor: input).write(contentsOf: Data(text.utf8))
  }

  /// Ends what it reads.
  public func finishSending() {
    lock.withLock {
      if let input { close(input) }
      input = nil
    }
  }

  /// The next line of standard output, nil at its end.
  /// - Parameter seconds: a watchdog, not a promise.
  public func readLine(seconds: Double = 60) -> String? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    return lock.withLock {
      while true {
        if let end = outputBytes.firstIndex(of: UInt8(ascii: "\n")) {
          defer { outputBytes.removeSubrange(...end) }
          return String(decoding: outputBytes[..<end], as: UTF8.self)
        }
        guard Self.fill(&outputBytes, from: output, until: deadline) else { return nil }
      }
    }
  }

  /// Waits until the process has ended; nil if it still runs when the watchdog barks.
  public func waitForEnd(seconds: Double = 60) -> Ending? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    return lock.withLock {
      if let ending { return ending }
      // Its end closes both pipes, and that is what is waited for. Both are read, lest it blocks on a full one.
      while Self.fill(&outputBytes, from: output, until: deadline) {}
      while Self.fill(&errorBytes, from: error, until: deadline) {}
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
  public var remainingOutput: String { lock.withLock { String(decoding: outputBytes, as: UTF8.self) } }

  /// What it has written to standard error, complete once it has ended.
  public var errorOutput: String {
    lock.withLock {
      while Self.fill(&errorBytes, from: error, until: Date()) {}
      return String(decoding: errorBytes, as: UTF8.self)
    }
  }

  /// Reads what is there or comes until the deadline; false at the end of the pipe or when nothing came.
  private static func fill(_ bytes: inout [UInt8], from descriptor: Int32, until deadline: Date) -> Bool {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let milliseconds = Int32(max(0, deadline.timeIntervalSinceNow * 1000).rounded(.up))
    guard poll(&ready, 1, milliseconds) > 0 else { return false }
    var piece = [UInt8](repeating: 0, count: 65_536)
    let length = read(descriptor, &piece, piece.count)
    guard length > 0 else { return false }
    bytes += piece[..<length]
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
