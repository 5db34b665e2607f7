import DocketStore

/// Watches, to be found by the documents that they are about.
struct WatchTable {
  /// Watches of one scope.
  final class List {
    fileprivate(set) var watches: [Watch] = []
  }

  /// Where a watch stands in a table.
  struct Place {
    fileprivate let list: List
    fileprivate var index: Int
  }

  private var documents: [DocumentPath: List] = [:]
  /// How many documents of each collection are watched by themselves.
  private var watchedDocuments: [CollectionPath: Int] = [:]
  private var collections: [CollectionPath: List] = [:]
  private var trees: [CollectionPath: List] = [:]
  private let everything = List()
  private(set) var count = 0
  /// How many of them have a condition.
  private var conditions = 0

  var isEmpty: Bool { count == 0 }

  /// Whether somebody needs the documents as they were before.
  var hasConditions: Bool { conditions > 0 }

  mutating func insert(_ watch: Watch) {
    let list = makeList(watch.request.scope)
    watch.place = Place(list: list, index: list.watches.count)
    list.watches.append(watch)
    count += 1
    if watch.request.filter != nil { conditions += 1 }
  }

  /// - Precondition: it stands in this table.
  mutating func remove(_ watch: Watch) {
    guard let place = watch.place else { preconditionFailure("the watch stands in the table") }
    watch.place = nil
    let last = place.list.watches.removeLast()
    if last !== watch {
      place.list.watches[place.index] = last
      last.place?.index = place.index
    }
    count -= 1
    if watch.request.filter != nil { conditions -= 1 }
    if place.list.watches.isEmpty { drop(watch.request.scope) }
  }

  /// All of them.
  var all: [Watch] {
    let lists = Array(documents.values) + Array(collections.values) + Array(trees.values) + [everything]
    return lists.flatMap(\.watches)
  }

  func forEachWatch(of path: DocumentPath, _ body: (Watch) -> Void) {
    for watch in everything.watches { body(watch) }
    if let list = collections[path.collection] { for watch in list.watches { body(watch) } }
    if !documents.isEmpty, let list = documents[path] { for watch in list.watches { body(watch) } }
    if !trees.isEmpty {
      for root in path.collection.roots { if let list = trees[root] { for watch in list.watches { body(watch) } } }
    }
  }

  private mutating func makeList(_ scope: WatchRequest.Scope) -> List {
    switch scope {
    case .documents(.everything): return everything
    case .documents(.collection(let path)): return collections.list(for: path)
    case .documents(.tree(let path)): return trees.list(for: path)
    case .document(let path):
      if documents[path] == nil { watchedDocuments[path.collection, default: 0] += 1 }
      return documents.list(for: path)
    }
  }

  private mutating func drop(_ scope: WatchRequest.Scope) {
    switch scope {
    case .documents(.everything): break
    case .documents(.collection(let path)): collections[path] = nil
    case .documents(.tree(let path)): trees[path] = nil
    case .document(let path):
      documents[path] = nil
      let left = (watchedDocuments[path.collection] ?? 1) - 1
      watchedDocuments[path.collection] = left > 0 ? left : nil
    }
  }

  // MARK: Interest

  /// What is watched of a collection.
  private enum Part {
    case all
    case some
    case nothing
  }

  private func part(of collection: CollectionPath) -> Part {
    if !everything.watches.isEmpty || collections[collection] != nil { return .all }
    if !trees.isEmpty, collection.roots.contains(where: { trees[$0] != nil }) { return .all }
    return watchedDocuments[collection] == nil ? .nothing : .some
  }

  /// Calls `body` with what tells whether anybody watches a document. Changes that follow each other are mostly of one
  /// collection, so what is found of that is kept.
  func withInterest<Result>(_ body: (ChangeInterest) -> Result) -> Result {
    var known: (name: [UInt8], path: CollectionPath, part: Part)?
    return body { collection, id in
      if known == nil || !collection.elementsEqual(known?.name ?? []) {
        let path = CollectionPath(unchecked: String(decoding: collection, as: UTF8.self))
        known = (Array(collection), path, part(of: path))
      }
      guard let known else { return false }
      switch known.part {
      case .all: return true
      case .nothing: return false
      case .some: return documents[DocumentPath(collection: known.path, id: String(decoding: id, as: UTF8.self))] != nil
      }
    }
  }
}

extension [CollectionPath: WatchTable.List] {
  fileprivate mutating func list(for path: CollectionPath) -> WatchTable.List {
    if let list = self[path] { return list }
    let list = WatchTable.List()
    self[path] = list
    return list
  }
}

extension [DocumentPath: WatchTable.List] {
  fileprivate mutating func list(for path: DocumentPath) -> WatchTable.List {
    if let list = self[path] { return list }
    let list = WatchTable.List()
    self[path] = list
    return list
  }
}

extension CollectionPath {
  /// The collections in whose trees it is: `/users/` and `/users/7/orders/` of `/users/7/orders/`, and what is between.
  var roots: [CollectionPath] {
    let utf8 = description.utf8
    return utf8.indices.dropFirst().filter { utf8[$0] == UInt8(ascii: "/") }.map { end in
      CollectionPath(unchecked: String(description[...end]))
    }
  }
}
