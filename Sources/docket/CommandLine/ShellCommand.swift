import Glibc

/// A line for `/bin/sh`, run beside this process, whose output and errors are its own.
enum ShellCommand {
  enum Ending: Equatable {
    case exited(Int32)
    case signalled(Int32)
  }

  /// Runs a command to its end. It blocks.
  /// - Parameters:
  ///   - input: what it reads from its standard input. It need not.
  ///   - variables: are added to the environment of this process.
  /// - Throws: `CommandFailure`, where it could not be started.
  static func run(
    _ command: String, input: [UInt8], variables: [(name: String, value: String)]
  ) throws(CommandFailure) -> Ending {
    // A pipe would have to be written while the command runs, or leaves it unread.
    let input = try TemporaryFile.descriptor(of: input)
    defer { close(input) }
    var words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
    var environment = environment(with: variables) + [nil]
    defer { for pointer in words + environment { free(pointer) } }
    keepDescriptors()
    var pid = pid_t()
    let code = withActions(standardInput: input) { actions, attributes in
      posix_spawn(&pid, "/bin/sh", actions, attributes, &words, &environment)
    }
    guard code == 0 else { throw CommandFailure("cannot run /bin/sh: \(String(cString: strerror(code)))") }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      precondition(errno == EINTR, "nobody else waits for this process")
    }
    let signal = status & 0x7F
    return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
  }

  private static func environment(
    with variables: [(name: String, value: String)]
  ) -> [UnsafeMutablePointer<CChar>?] {
    var entries: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.name)=\($0.value)") }
    var entry = environ
    while let text = entry.pointee {
      if !variables.contains(where: { strncmp(text, "\($0.name)=", $0.name.utf8.count + 1) == 0 }) {
        entries.append(strdup(text))
      }
      entry += 1
    }
    return entries
  }

  /// Lets no command have what this process has open beyond standard error: a socket would stay open with it.
  private static func keepDescriptors() {
    guard let folder = opendir("/proc/self/fd") else { return }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
      }
      if let descriptor = Int32(name), descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }
  }

  /// The command gets this standard input, and no signal that is blocked or ignored:
  /// this process ignores SIGPIPE, and a shell could not undo that (POSIX, `trap`).
  private static func withActions(
    standardInput: Int32,
    _ body: (UnsafePointer<posix_spawn_file_actions_t>, UnsafePointer<posix_spawnattr_t>) -> Int32
  ) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO)
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
    return body(&actions, &attributes)
  }
}
