/// The order of a query's results.
public struct QueryOrder: Sendable {
  private let keys: [Query.SortKey]

  public init(_ keys: [Query.SortKey]) {
    self.keys = keys
  }

  /// The place of a document.
  public func position(of document: Document) -> Query.Position { document.withView { position(of: $0) } }

  /// The same of one that was not copied.
  public func position(of document: DocumentView) -> Query.Position {
    Query.Position(values: keys.map { $0.field.value(in: document) }, path: document.path)
  }

  /// -1, 0 or 1: whether one place is before the other. 0 is the same document's.
  public func order(_ a: Query.Position, _ b: Query.Position) -> Int {
    for (index, key) in keys.enumerated() {
      let order = a.values[index].order(to: b.values[index])
      if order != 0 { return key.isDescending ? -order : order }
    }
    let order = a.path.order(to: b.path)
    return keys.last?.isDescending == true ? -order : order
  }
}

extension DocumentPath {
  /// -1, 0 or 1: by the collection, then by the id, as bytes.
  func order(to other: DocumentPath) -> Int {
    let order = Array(collection.description.utf8).order(to: Array(other.collection.description.utf8))
    return order != 0 ? order : Array(id.utf8).order(to: Array(other.id.utf8))
  }
}

/// Collects the first documents in a query's order, from documents that come in any: no more of them than are wanted are in
/// memory.
public struct FirstDocuments: Sendable {
  private struct Entry: Sendable {
    let position: Query.Position
    let document: Document
  }

  private let order: QueryOrder
  private let after: Query.Position?
  private let limit: Int
  /// A heap whose root is the last of those that are held.
  private var heap: [Entry] = []
  private var bytes = 0
  private let limitBytes: Int

  /// - Parameters:
  ///   - limit: how many are wanted.
  ///   - limitBytes: what is not needed to reach this size, in bytes of documents, is let go of; two always stay.
  public init(_ order: QueryOrder, after: Query.Position?, limit: Int, limitBytes: Int) {
    self.order = order
    self.after = after
    self.limit = limit
    self.limitBytes = limitBytes
  }

  public mutating func add(_ document: DocumentView) {
    let position = order.position(of: document)
    if let after, order.order(position, after) <= 0 { return }
    if heap.count >= limit, let last = heap.first, order.order(position, last.position) >= 0 { return }
    heap.append(Entry(position: position, document: Document(document)))
    bytes += document.data.count
    siftUp(heap.count - 1)
    while heap.count > limit || (heap.count > 2 && bytes - heap[0].document.data.readableBytes >= limitBytes) {
      removeLast()
    }
  }

  /// Those that were held, in order.
  public func sorted() -> [Document] {
    heap.sorted { order.order($0.position, $1.position) < 0 }.map(\.document)
  }

  private mutating func removeLast() {
    bytes -= heap[0].document.data.readableBytes
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    siftDown(0)
  }

  private func isBehind(_ a: Int, _ b: Int) -> Bool { order.order(heap[a].position, heap[b].position) > 0 }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0, isBehind(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var last = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBehind(child, last) { last = child }
      guard last != parent else { return }
      heap.swapAt(parent, last)
      parent = last
    }
  }
}
