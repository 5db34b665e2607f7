import CMalloc
import Glibc

/// Sees to it that memory which large answers took goes back to the system behind them.
///
/// By itself the C library takes ever larger pieces from memory that it keeps, once one so large was given back, up to 32 MiB
/// (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). In there answers that wait for their clients stand
/// between what is free, and the process takes twice what they have.
enum MemoryReturn {
  /// Above the buffer of an answer with a document of the default size, since to ask the system for each costs a third of the speed
  /// of such reads.
  private static let largeBytes: Int32 = (2 << 20) + (64 << 10)
  private static let keptBytes: Int32 = 8 << 20

  /// Before anything large is taken. What the operator has set stays.
  static func begin() {
    guard getenv("GLIBC_TUNABLES") == nil, getenv("MALLOC_MMAP_THRESHOLD_") == nil else { return }
    mallopt(M_MMAP_THRESHOLD, largeBytes)
    mallopt(M_TRIM_THRESHOLD, keptBytes)
  }
}
