import CGlibc
import Glibc
import ServiceLifecycle

/// Sees to it that memory which large answers took goes back to the system behind them.
///
/// By itself the C library takes ever larger pieces from memory that it keeps, once one so large was given back, up to 32 MiB
/// (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). In there answers that wait for their clients stand
/// between what is free, and the process takes twice what they have. And of what it keeps it gives back the end alone, so that one
/// small piece that is still there holds all that was given back before it.
struct MemoryReturn: Service {
  /// Above the buffer of an answer with a document of the default size, since to ask the system for each costs a third of the speed
  /// of such reads.
  private static let largeBytes: Int32 = (2 << 20) + (64 << 10)
  private static let keptBytes: Int32 = 8 << 20

  /// Free memory that is less than this, or than a quarter of what is in use, will be wanted again.
  private static let freeBytes = 64 << 20
  private static let pause = Duration.seconds(10)

  /// Before anything large is taken. What the operator has set stays.
  static func begin() {
    guard getenv("GLIBC_TUNABLES") == nil, getenv("MALLOC_MMAP_THRESHOLD_") == nil else { return }
    mallopt(M_MMAP_THRESHOLD, largeBytes)
    mallopt(M_TRIM_THRESHOLD, keptBytes)
  }

  /// Looks now and then, until the service ends.
  func run() async throws {
    while (try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }) != nil {
      guard let resident = Self.residentBytes() else { continue }
      let use = mallinfo2()
      let used = Int(use.uordblks + use.hblkhd)
      if resident - used > max(Self.freeBytes, used / 4) { malloc_trim(0) }
    }
  }

  /// What the process has of its own, without files that it shows; nil where the system does not tell
  /// (https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html).
  private static func residentBytes() -> Int? {
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let text = String(unsafeUninitializedCapacity: 256) { max(0, read(file, $0.baseAddress, $0.count)) }
    let pages = text.split(separator: " ").prefix(3).compactMap { Int($0) }
    guard pages.count == 3 else { return nil }
    return (pages[1] - pages[2]) * sysconf(Int32(_SC_PAGESIZE))
  }
}
