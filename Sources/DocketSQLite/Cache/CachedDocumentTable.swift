import Glibc

/// A hash table of documents by their names: open addressing with linear probing, and what is removed leaves no mark
/// (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithms L and R).
///
/// It owns its documents. A `Dictionary` of paths, which hashes and compares two strings and counts references to each
/// part of what it finds, took a fifth of the time of pipelined reads.
struct CachedDocumentTable {
  /// A power of two.
  private var places: [CachedDocument?] = []
  /// What the document at a place is told from most others by, without a look at its memory; 0 where there is none.
  private var tags: [UInt16] = []
  private(set) var count = 0
  /// What the documents take, in bytes.
  private(set) var bytes = 0

  /// How a name is hashed. Clients choose names, so the hash has a secret of the process (SipHash).
  static func hash(_ name: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: name)
    return hasher.finalize()
  }

  func document(_ name: UnsafeRawBufferPointer, hash: Int) -> CachedDocument? {
    place(of: name, hash: hash).flatMap { places[$0] }
  }

  /// Adds a document whose name is not in the table.
  mutating func insert(_ document: CachedDocument) {
    if 2 * (count + 1) > places.count { grow() }
    put(document)
    count += 1
    bytes += document.bytes
  }

  /// Takes a document out and hands it over, if it is there.
  mutating func remove(_ name: UnsafeRawBufferPointer, hash: Int) -> CachedDocument? {
    guard var hole = place(of: name, hash: hash), let removed = places[hole] else { return nil }
    // Those behind it that would be looked for at the hole, or before it, move there.
    var next = successor(of: hole)
    while let candidate = places[next] {
      let home = candidate.hash & mask
      if (next &- home) & mask >= (next &- hole) & mask {
        places[hole] = candidate
        tags[hole] = tags[next]
        hole = next
      }
      next = successor(of: next)
    }
    places[hole] = nil
    tags[hole] = 0
    count -= 1
    bytes -= removed.bytes
    return removed
  }

  /// Frees all documents, and keeps room for as many.
  mutating func removeAll() {
    guard count > 0 else { return }
    for index in places.indices {
      places[index]?.free()
      places[index] = nil
      tags[index] = 0
    }
    count = 0
    bytes = 0
  }

  /// Of the bits that do not say where it is looked for.
  private static func tag(_ hash: Int) -> UInt16 { UInt16(truncatingIfNeeded: hash >> 48) | 1 }

  private var mask: Int { places.count &- 1 }

  private func successor(of place: Int) -> Int { (place &+ 1) & mask }

  private func place(of name: UnsafeRawBufferPointer, hash: Int) -> Int? {
    guard count > 0 else { return nil }
    let tag = Self.tag(hash)
    var place = hash & mask
    while tags[place] != 0 {
      if tags[place] == tag, let candidate = places[place], candidate.hash == hash,
        candidate.name.holdsSameBytes(as: name)
      {
        return place
      }
      place = successor(of: place)
    }
    return nil
  }

  private mutating func put(_ document: CachedDocument) {
    var place = document.hash & mask
    while tags[place] != 0 { place = successor(of: place) }
    places[place] = document
    tags[place] = Self.tag(document.hash)
  }

  private mutating func grow() {
    let documents = places
    places = Array(repeating: nil, count: max(64, 2 * documents.count))
    tags = Array(repeating: 0, count: places.count)
    for case let document? in documents { put(document) }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func holdsSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let a = baseAddress, let b = other.baseAddress else { return true }
    return memcmp(a, b, count) == 0
  }
}
