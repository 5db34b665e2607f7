/// Documents that were read or written lately. Whoever owns it sees to it that it holds none that has changed.
final class DocumentCache {
  private let limitBytes: Int
  /// What came in since the last change of generations, and what was before; together they hold no more than the limit.
  private var young = CachedDocumentTable()
  private var old = CachedDocumentTable()
  /// Whether documents have had to make room for others.
  private var isFull = false
  private var lot: UInt64 = 1
  /// Is told the rows of documents where there is not room for all.
  private let rowKeys: RowKeys

  /// - Parameters:
  ///   - limitBytes: how much it may hold in memory; 0: nothing.
  ///   - rowKeys: is told the rows of what it cannot hold.
  init(limitBytes: Int, rowKeys: RowKeys) {
    self.limitBytes = limitBytes
    self.rowKeys = rowKeys
  }

  deinit { removeAll() }

  /// What it holds.
  var bytes: Int { young.bytes + old.bytes }

  var isEmpty: Bool { young.count == 0 && old.count == 0 }

  /// A document, if it is at hand. It is valid until the next call.
  /// - Parameter name: the path as text, collection and id.
  func document(_ name: UnsafeRawBufferPointer) -> CachedDocument? {
    guard limitBytes > 0 else { return nil }
    let hash = CachedDocumentTable.hash(name)
    if let document = young.document(name, hash: hash) { return document }
    guard let document = old.remove(name, hash: hash) else { return nil }
    insert(document)
    return document
  }

  /// The key of the row that a document had when it was last held here or by another cache of the store, or that of another
  /// one: the row must be asked whose it is.
  func rowKey(_ name: UnsafeRawBufferPointer) -> Int64? {
    rowKeys.key(hash: CachedDocumentTable.hash(name))
  }

  /// Holds a document as it is now, unless it is too large to be worth it.
  /// - Parameters:
  ///   - name: its path as text.
  ///   - data: not memory of this cache's.
  func hold(_ fields: CachedDocument.Fields, name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer) {
    let hash = CachedDocumentTable.hash(name)
    if isFull || limitBytes == 0 { rowKeys.set(fields.key, hash: hash) }
    guard limitBytes > 0 else { return }
    let wasHere = remove(name, hash: hash)
    guard CachedDocument.overheadBytes + name.count + data.count <= limitBytes / 8, wasHere || admits() else { return }
    insert(CachedDocument(fields, name: name, hash: hash, data: data))
  }

  /// Whether a document that is not here may come in.
  ///
  /// Where there are many more than there is room for, most that come in are not asked for before they have to go, and to copy
  /// them is for nothing: so of those that take another one's place only one in eight comes in, by lot. One that is asked for
  /// again and again is in soon.
  private func admits() -> Bool {
    if isFull, bytes < limitBytes / 4 { isFull = false }
    guard isFull else { return true }
    // Knuth's MMIX; the high bits are the random ones.
    lot = lot &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return lot >> 61 == 0
  }

  func remove(_ name: UnsafeRawBufferPointer) {
    guard !isEmpty else { return }
    remove(name, hash: CachedDocumentTable.hash(name))
  }

  func removeAll() {
    young.removeAll()
    old.removeAll()
    isFull = false
  }

  /// Returns whether it was there.
  @discardableResult
  private func remove(_ name: UnsafeRawBufferPointer, hash: Int) -> Bool {
    guard let document = young.remove(name, hash: hash) ?? old.remove(name, hash: hash) else { return false }
    document.free()
    return true
  }

  private func insert(_ document: CachedDocument) {
    // Before it is added, so that it is not among what is freed.
    if young.bytes + document.bytes > limitBytes / 2 {
      isFull = old.count > 0
      old.removeAll()
      swap(&young, &old)
    }
    young.insert(document)
  }
}
