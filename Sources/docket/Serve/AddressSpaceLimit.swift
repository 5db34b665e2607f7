import Glibc

/// How much of its address space the process may use.
enum AddressSpaceLimit {
  /// Each thread has some of it set aside, most of which is never touched: 1.2 GB for a server at rest. Where there is no more,
  /// threads cannot be made, and libraries end the process or wait for ever.
  private static let least: rlim_t = 2 << 30

  /// Why nothing can be served; nil: it can.
  static var refusal: String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < least else { return nil }
    return """
      only \(limit.rlim_cur >> 20) MiB of address space may be used (ulimit -v), and it takes \(least >> 20) MiB, most of which is \
      never touched: raise that, and bound the memory itself, as with MemoryMax of systemd
      """
  }
}
