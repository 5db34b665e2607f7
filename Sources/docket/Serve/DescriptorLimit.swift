import Glibc
import Logging

/// How many files the process may have open, of which each connection is one.
enum DescriptorLimit {
  /// Files other than clients' connections: the database's of each thread, listeners, loops, refused connections.
  private static let reserve = 512

  /// What the smallest server opens, and a client's event loops, whose library ends the process where it cannot.
  private static let least: rlim_t = 64

  /// Why nothing can be done; nil: it can.
  static var refusal: String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < least else {
      return nil
    }
    return "only \(limit.rlim_cur) files may be open at once, and it takes \(least): raise that with ulimit -n"
  }

  /// Raises the limit as far as it goes, and returns how many connections fit under it.
  static func raise(forConnections wanted: Int, logger: Logger) -> Int {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return wanted }
    let needed = rlim_t(wanted + reserve)
    if limit.rlim_cur < needed {
      var raised = rlimit(rlim_cur: needed, rlim_max: max(needed, limit.rlim_max))
      if setrlimit(resource, &raised) != 0 {
        raised = rlimit(rlim_cur: min(needed, limit.rlim_max), rlim_max: limit.rlim_max)
        setrlimit(resource, &raised)
      }
      guard getrlimit(resource, &limit) == 0 else { return wanted }
    }
    guard limit.rlim_cur < needed else { return wanted }
    let fitting = max(1, Int(limit.rlim_cur) - reserve)
    logger.warning(
      "Only \(limit.rlim_cur) files may be open, so \(fitting) connections are served in the place of \(wanted); raise it with ulimit -n, or lower --max-connections."
    )
    return fitting
  }
}
