import CSQLite

/// The header of the log's index, which every commit changes, by whichever process: it counts them.
///
/// Two equal headers say that nothing was committed between the times when they were read. Reading one is a look at
/// memory that is shared with all who have the file open; a read transaction instead costs two locks, which are system
/// calls. Source: https://sqlite.org/walformat.html, "The WAL-Index File Format".
struct LogHeader: Equatable {
  private let words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

  static func == (a: Self, b: Self) -> Bool {
    a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
      && a.words.4 == b.words.4 && a.words.5 == b.words.5
  }

  /// How many commits there were since the index was made, modulo 2^32: `iChange`.
  var commits: UInt32 { withUnsafeBytes(of: words) { $0.load(fromByteOffset: 8, as: UInt32.self) } }

  /// Where a connection finds it.
  struct Place {
    private let index: UnsafeRawPointer

    /// - Parameter connection: has read in WAL mode, and stays open as long as this is used. nil where the file system
    ///   layer has no shared memory.
    init?(_ connection: Connection) {
      guard let index = docket_log_index(connection.handle) else { return nil }
      self.index = index
    }

    /// The header as it is now; nil while a commit is writing it.
    func read() -> LogHeader? {
      var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
      let isWhole = withUnsafeMutableBytes(of: &words) { bytes in
        // Six words of eight bytes, as they are declared above.
        docket_log_header(index, bytes.baseAddress!.assumingMemoryBound(to: UInt64.self)) != 0
      }
      return isWhole ? LogHeader(words: words) : nil
    }
  }
}
