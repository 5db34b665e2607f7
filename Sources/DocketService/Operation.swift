import DocketStore
import DocketWire

/// What a request comes to, once it is understood.
public enum Operation: Sendable {
  /// The answer is known without asking the store.
  case answer(Response)
  case document(DocumentOperation)
  /// A write that is carried out once under its key, however often it comes.
  case once(IdempotencyKey, Write, answeredAs: WriteForm)
  case batch(Batch)
  case past(PastOperation)
  case readStats

  /// How an operation stands to others on its connection, where each sees the effect of all before it.
  public enum Kind: Sendable, Equatable {
    /// Needs nothing of the store.
    case immediate
    /// Must find every write before it done.
    case read
    /// May follow other writes before they are done, since writes of one session keep their order.
    case write
  }

  public var kind: Kind {
    switch self {
    case .answer: .immediate
    case .document(.readDocument), .document(.readPage), .document(.readList), .readStats, .past: .read
    case .document(.write), .once: .write
    // What a batch reads can be large: of one connection no more than one such answer is in memory.
    case .batch(let batch): batch.reads ? .read : .write
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

/// How a write is answered.
public enum WriteForm: Sendable {
  /// With the path, id and revision of the document.
  case document
  /// As the original server answers: no data.
  case original
}
