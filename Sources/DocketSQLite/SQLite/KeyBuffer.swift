import DocketStore

/// Holds the UTF-8 of one path where statements can borrow it, so that binding a key copies and allocates nothing.
final class KeyBuffer {
  private var storage: UnsafeMutableRawBufferPointer
  private var collectionCount = 0
  private var count = 0

  init() {
    storage = .allocate(byteCount: 2_048, alignment: 1)
  }

  deinit { storage.deallocate() }

  /// Holds another path; statements that borrow the one before must have been reset.
  func load(_ path: DocumentPath) {
    load(collection: path.collection, id: path.id)
  }

  func load(collection: CollectionPath, id: String) {
    count = 0
    append(collection.description)
    collectionCount = count
    append(id)
  }

  func load(collection: UnsafeRawBufferPointer, id: UnsafeRawBufferPointer) {
    count = 0
    append(collection)
    collectionCount = count
    append(id)
  }

  /// The collection and the id behind it.
  var path: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[..<count]) }

  var collection: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[..<collectionCount]) }

  var id: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[collectionCount..<count]) }

  private func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  private func append(_ utf8: UnsafeRawBufferPointer) {
    if count + utf8.count > storage.count { grow(to: 2 * (count + utf8.count)) }
    UnsafeMutableRawBufferPointer(rebasing: storage[count...]).copyMemory(from: utf8)
    count += utf8.count
  }

  private func grow(to byteCount: Int) {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<count]))
    storage.deallocate()
    storage = larger
  }
}
