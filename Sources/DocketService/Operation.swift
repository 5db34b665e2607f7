import DocketStore
import DocketWire
import NIOCore

/// What a request comes to, once it is understood.
public enum Operation: Sendable {
  /// The answer is known without asking the store.
  case answer(Response)
  /// So it is, but it is to be told later.
  indirect case answerLater(Response, milliseconds: Int64)
  case reportHealth
  case reportReadiness
  /// What may be done by who asks.
  case reportAccess
  case document(DocumentOperation)
  /// A write that is carried out once under its key, however often it comes.
  case once(IdempotencyKey, Write, answeredAs: WriteForm)
  case batch(Batch)
  case past(PastOperation)
  /// Kept apart, since it is much larger than the others.
  indirect case query(QueryRequest)
  /// What collections hold.
  case readCollections(CollectionsRequest)
  case settings(SettingsOperation)
  case tokens(TokenOperation)
  case backups(BackupOperation)
  case readChanges(ChangesRequest)
  indirect case watch(WatchRequest)
  /// Ends the connection's watch of this id.
  case endWatch(String)
  case readStats

  /// How an operation stands to others on its connection, where each sees the effect of all before it.
  public enum Kind: Sendable, Equatable {
    /// Needs nothing of the store.
    case immediate
    /// Must find every write before it done that it could see.
    case read
    /// May follow other writes before they are done, since writes of one session keep their order; as far as there is room for them.
    case write
  }

  public var kind: Kind {
    switch self {
    case .answer, .reportHealth, .reportAccess, .endWatch: .immediate
    // Whoever is made to wait gets nothing else meanwhile.
    case .answerLater: .read
    case .document(.readDocument), .document(.readPage), .document(.readList), .reportReadiness, .readStats, .past,
      .query,
      .readCollections,
      .settings, .tokens, .backups, .readChanges, .watch:
      .read
    // The search for an equal array or object has no index, so of one connection no more than one is under way.
    case .document(.write(let write, _)): write.action.searches ? .read : .write
    case .once: .write
    // What a batch reads can be large: of one connection no more than one such answer is in memory.
    case .batch(let batch): batch.reads ? .read : .write
    }
  }

  /// Whether it writes and may take far longer than its data lets expect.
  public var mayTakeLong: Bool {
    switch self {
    case .document(.write(let write, _)), .once(_, let write, _): write.action.mayTakeLong
    case .batch(let batch): batch.mayTakeLong
    default: false
    }
  }

  /// Whether its answer may be larger than a document. What an operator looks at when there is no room for such answers is not.
  public var mayAnswerMuch: Bool {
    switch self {
    case .document(.readDocument): false
    // It looks at the room itself.
    case .batch: false
    default: onlyReadsDocuments
    }
  }

  /// Whether it tells of documents and changes nothing.
  public var onlyReadsDocuments: Bool {
    switch self {
    case .document(.readDocument), .document(.readPage), .document(.readList), .past, .query, .readCollections,
      .readChanges:
      true
    case .answer, .answerLater, .reportHealth, .reportReadiness, .reportAccess, .document(.write), .once, .batch,
      .settings, .tokens, .backups, .watch, .endWatch, .readStats:
      false
    }
  }

  /// Whether its answer was known with its request.
  var isAnswered: Bool { if case .answer = self { true } else { false } }

  /// The one document that it reads or writes; nil where it may be about others.
  public var document: DocumentPath? {
    switch self {
    case .document(.readDocument(let path, _)): path
    case .document(.write(let write, _)), .once(_, let write, _): write.action.document
    case .answer, .answerLater, .reportHealth, .reportReadiness, .reportAccess, .document(.readPage),
      .document(.readList), .batch,
      .past, .query,
      .readCollections, .settings, .tokens, .backups, .readChanges, .watch,
      .endWatch, .readStats:
      nil
    }
  }
}

/// What can be done to documents by itself and in a batch.
public enum DocumentOperation: Sendable {
  /// With a condition under which the document is wanted.
  case readDocument(DocumentPath, Condition?)
  case readPage(PageRequest)
  /// The list of the original server, whole.
  case readList
  case write(Write, answeredAs: WriteForm)
}

extension Write.Action {
  /// Whether it looks through a collection for a value that no index finds.
  fileprivate var searches: Bool {
    switch self {
    case .replaceFirst(_, let value, _), .deleteFirst(_, let value):
      let first = value.readableBytesView.first { $0 > UInt8(ascii: " ") }
      return first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
    case .create, .put, .mergePatch, .jsonPatch, .delete: return false
    }
  }
}

/// How a write is answered.
public enum WriteForm: Sendable {
  /// With the path, id and revision of the document.
  case document
  /// The same, and nothing is told of any other document.
  case documentAlone
  /// As the original server answers: no data.
  case original
}
