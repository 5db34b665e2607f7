import Glibc
import Synchronization

/// Which row each of many documents has, by its name: a guess that whoever asks confirms by the row, which says its own
/// name. So nothing has to see to it that a guess holds, none can do harm, and all threads share one table.
///
/// With the key of its row a document is found by one search in place of two, and no page of the index is read. An entry is
/// eight bytes, 24 bits of the name's hash and 40 of the key, in a bucket of eight, a line of the processor's cache. Where
/// a bucket is full, an entry goes.
final class RowKeys: Sendable {
  private struct Entry {
    static let keyBits: UInt64 = 40

    /// 0: none.
    let bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    init?(key: Int64, hash: Int) {
      guard key > 0, key < 1 << Self.keyBits else { return nil }
      bits = Self.tag(hash) << Self.keyBits | UInt64(key)
    }

    var isEmpty: Bool { bits == 0 }
    var key: Int64 { Int64(bits & (1 << Self.keyBits - 1)) }
    func isOf(_ hash: Int) -> Bool { bits >> Self.keyBits == Self.tag(hash) }

    /// Of the bits that do not say which bucket it is.
    private static func tag(_ hash: Int) -> UInt64 { UInt64(bitPattern: Int64(hash)) >> keyBits }
  }

  private static let bucketEntries = 8

  /// A power of two, or none.
  private let buckets: Int
  /// Memory that the system gives as zeros, page by page when it is first written to. Entries are words by themselves: no
  /// order is needed among them.
  ///
  /// `nonisolated(unsafe)`: a pointer is not `Sendable`. This one never changes, what it points to is touched by atomic
  /// operations alone, and it is freed when nobody refers to the table any more.
  private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>?

  /// - Parameter limitBytes: how much it may take in memory; what is no power of two is rounded down to one.
  init(limitBytes: Int) {
    let fitting = limitBytes / (Self.bucketEntries * MemoryLayout<UInt64>.size)
    let most = fitting == 0 ? 0 : 1 << (Int.bitWidth - 1 - fitting.leadingZeroBitCount)
    let memory = most == 0 ? nil : calloc(most * Self.bucketEntries, MemoryLayout<UInt64>.size)
    words = memory?.bindMemory(to: Atomic<UInt64>.self, capacity: most * Self.bucketEntries)
    buckets = memory == nil ? 0 : most
  }

  deinit { free(words) }

  /// The key that was last told for a name with this hash, or with one much like it.
  func key(hash: Int) -> Int64? {
    guard let bucket = bucket(hash) else { return nil }
    for place in 0..<Self.bucketEntries {
      let entry = Entry(bits: bucket[place].load(ordering: .relaxed))
      if entry.isOf(hash), !entry.isEmpty { return entry.key }
    }
    return nil
  }

  /// Tells the key of a name's row.
  func set(_ key: Int64, hash: Int) {
    guard let bucket = bucket(hash), let entry = Entry(key: key, hash: hash) else { return }
    // Where all are taken one goes, by the low bits of the key: as good as a lot.
    var place = Int(truncatingIfNeeded: key) % Self.bucketEntries
    for candidate in 0..<Self.bucketEntries {
      let present = Entry(bits: bucket[candidate].load(ordering: .relaxed))
      if present.bits == entry.bits { return }
      guard present.isEmpty || present.isOf(hash) else { continue }
      place = candidate
      break
    }
    bucket[place].store(entry.bits, ordering: .relaxed)
  }

  private func bucket(_ hash: Int) -> UnsafeMutablePointer<Atomic<UInt64>>? {
    words.map { $0 + (hash & (buckets - 1)) * Self.bucketEntries }
  }
}
