import DocketStore

/// What somebody must be allowed so that an operation is carried out for him.
enum Demand: Sendable {
  /// It is for everybody.
  case nothing
  /// To do anything at all: it tells nothing of what is stored.
  case anything
  case read(DocumentPath)
  case readAll(CollectionPath)
  /// To read some of it; the operation is narrowed to that.
  case readSome(Query.Scope)
  case write(DocumentPath)
  case writeInto(CollectionPath)
  case readAndWrite(DocumentPath)
  case readAndWriteAll(CollectionPath)
  case stats
  case admin
  case all([Demand])
}

extension Operation {
  /// There is no default on purpose: whoever adds an operation says here what it takes.
  var demand: Demand {
    switch self {
    case .reportHealth, .reportReadiness, .reportAccess: .nothing
    case .answer, .answerLater, .endWatch: .anything
    case .document(let operation): operation.demand
    case .once(_, let write, _): write.action.demand
    case .batch(let batch):
      .all(
        batch.steps.map { step in
          switch step.task {
          case .operation(let operation): operation.demand
          case .answer: .anything
          }
        })
    case .past(.readDocument(let path, _, _)): .read(path)
    case .past(.readVersions(let request)): .read(request.path)
    case .past(.readPage(let request, _)): .readAll(request.collection)
    // It writes what only a reader could know.
    case .past(.restore(let path, _, _, _, _)): .readAndWrite(path)
    case .query(let request): Self.demand(of: request.scope)
    case .watch(let request):
      switch request.scope {
      case .document(let path): .read(path)
      case .documents(let scope): Self.demand(of: scope)
      }
    case .readCollections, .readChanges: .readSome(.everything)
    case .settings, .tokens, .backups: .admin
    case .readStats: .stats
    }
  }

  private static func demand(of scope: Query.Scope) -> Demand {
    switch scope {
    case .collection(let path): .readAll(path)
    case .tree, .everything: .readSome(scope)
    }
  }
}

extension DocumentOperation {
  fileprivate var demand: Demand {
    switch self {
    case .readDocument(let path, _): .read(path)
    case .readPage(let request): .readAll(request.collection)
    case .readList: .readAll(Router.items)
    case .write(let write, _): write.action.demand
    }
  }
}

extension Write.Action {
  fileprivate var demand: Demand {
    switch self {
    case .create(let collection, _): .writeInto(collection)
    case .put(let path, _), .delete(let path): .write(path)
    // Patches ask what there is: by `test`, and by whether they fit.
    case .mergePatch(let path, _), .jsonPatch(let path, _): .readAndWrite(path)
    // So do those who name a document by what it holds.
    case .replaceFirst(let collection, _, _), .deleteFirst(let collection, _): .readAndWriteAll(collection)
    }
  }
}
