import DocketStore
import DocketWire

/// What becomes of an operation by what somebody may do.
enum AccessVerdict {
  /// It is carried out as it is. Most are, and to copy an operation costs as much as to find this out.
  case allowed
  /// This is carried out in its place: narrowed to what may be read, or silent about what may not.
  case changed(Operation)
  case refused(Lack)
}

/// What somebody is not allowed that an operation takes: of several rules the first that is missing. It names no path, so that
/// all that may not be had is answered the same.
enum Lack {
  case reading, writing, stats, admin

  var rule: String {
    switch self {
    case .reading: "a rule read:… that covers its path"
    case .writing: "a rule write:… that covers its path"
    case .stats: "the rule stats"
    case .admin: "the rule admin"
    }
  }
}

extension Operation {
  func verdict(by rules: AccessRules) -> AccessVerdict {
    let demand = demand
    if let lack = rules.lack(demand) { return .refused(lack) }
    switch demand {
    case .readSome(let scope): return rules.readAll(of: scope) ? .allowed : .changed(narrowed(to: rules.readable))
    // What is told of others is told of documents of the same collection.
    case .write(let path), .readAndWrite(let path):
      return rules.readable.cover(path.collection) ? .allowed : .changed(withoutNews(of: rules))
    case .writeInto(let collection):
      return rules.readable.cover(collection) ? .allowed : .changed(withoutNews(of: rules))
    case .all: return rules.readable.areEverything ? .allowed : .changed(withoutNews(of: rules))
    case .nothing, .anything, .read, .readAll, .readAndWriteAll, .stats, .admin: return .allowed
    }
  }

  /// Shows nothing of what may not be read.
  private func narrowed(to readable: PathPrefixes) -> Operation {
    switch self {
    case .query(var request):
      guard !request.isExplained else { return .answer(.explanationForbidden) }
      request.readable = readable
      return .query(request)
    case .watch(var request):
      request.readable = readable
      return .watch(request)
    case .readCollections(var request):
      request.readable = readable
      return .readCollections(request)
    case .readChanges(var request):
      request.readable = readable
      return .readChanges(request)
    default: preconditionFailure("only what reads many documents is narrowed")
    }
  }

  /// Has writes not tell of other documents where those may not be read.
  private func withoutNews(of rules: AccessRules) -> Operation {
    switch self {
    case .document(let operation): .document(operation.withoutNews(of: rules))
    case .once(let key, let write, .document) where !rules.readable.cover(write.action.collection):
      .once(key.apart, write, answeredAs: .documentAlone)
    case .past(.restore(let path, let asOf, let terms, let key, .document)) where !rules.readable.cover(path.collection):
      .past(.restore(path, asOf, terms, key?.apart, answeredAs: .documentAlone))
    case .batch(let batch): .batch(batch.withoutNews(of: rules))
    default: self
    }
  }
}

extension Batch {
  fileprivate func withoutNews(of rules: AccessRules) -> Batch {
    var changes = false
    var batch = mapOperations { operation in
      let quiet = operation.withoutNews(of: rules)
      changes = changes || quiet.isQuiet != operation.isQuiet
      return quiet
    }
    if changes { batch.key = key?.apart }
    return batch
  }
}

extension DocumentOperation {
  /// Whether it is a write whose answer tells of no other document.
  fileprivate var isQuiet: Bool {
    if case .write(_, answeredAs: .documentAlone) = self { true } else { false }
  }

  fileprivate func withoutNews(of rules: AccessRules) -> DocumentOperation {
    guard case .write(let write, answeredAs: .document) = self, !rules.readable.cover(write.action.collection) else {
      return self
    }
    return .write(write, answeredAs: .documentAlone)
  }
}

extension AccessRules {
  /// nil: nothing, it is allowed.
  fileprivate func lack(_ demand: Demand) -> Lack? {
    if isAdmin { return nil }
    switch demand {
    case .nothing: return nil
    case .anything: return rules.isEmpty ? .reading : nil
    case .read(let path): return readable.cover(path) ? nil : .reading
    case .readAll(let collection): return readable.cover(collection) ? nil : .reading
    case .readSome(let scope): return readSome(of: scope) ? nil : .reading
    case .write(let path): return writable.cover(path) ? nil : .writing
    case .writeInto(let collection): return writable.cover(collection) ? nil : .writing
    case .readAndWrite(let path): return readable.cover(path) ? (writable.cover(path) ? nil : .writing) : .reading
    case .readAndWriteAll(let collection):
      return readable.cover(collection) ? (writable.cover(collection) ? nil : .writing) : .reading
    case .stats: return seesStats ? nil : .stats
    case .admin: return .admin
    // What holds nothing still takes somebody.
    case .all(let demands): return lack(.anything) ?? demands.lazy.compactMap { lack($0) }.first
    }
  }

  fileprivate func readAll(of scope: Query.Scope) -> Bool {
    switch scope {
    case .collection(let path), .tree(let path): readable.cover(path)
    case .everything: readable.areEverything
    }
  }

  private func readSome(of scope: Query.Scope) -> Bool {
    switch scope {
    case .collection(let path): readable.cover(path)
    case .tree(let path): readable.reachInto(path)
    case .everything: !readable.isEmpty
    }
  }
}

extension IdempotencyKey {
  /// A key under which no answer is kept that was told to somebody who may read more.
  fileprivate var apart: IdempotencyKey { IdempotencyKey(name: name, fingerprint: ~fingerprint) }
}

extension Write.Action {
  fileprivate var collection: CollectionPath {
    switch self {
    case .create(let collection, _), .replaceFirst(let collection, _, _), .deleteFirst(let collection, _): collection
    case .put(let path, _), .mergePatch(let path, _), .jsonPatch(let path, _), .delete(let path): path.collection
    }
  }
}

extension Response {
  fileprivate static var explanationForbidden: Response {
    error(
      .forbidden, "forbidden",
      "'explain' counts what was looked at, of which the token may not read all; leave it out, or ask for what it may read whole."
    )
  }
}
