import DocketService
import DocketStore

/// The requests of a connection that wait for the store: how many read and write, and which documents.
struct OpenRequests {
  private(set) var reads = 0
  private(set) var writes = 0
  /// Of the frames of the writes.
  private(set) var writeBytes = 0
  /// Of the writes, those that may be about any document.
  private var writesAnywhere = 0
  /// How many of the other writes are about each document; counted from the first read that asks until there are none, so
  /// that writes among themselves do not pay for it.
  private var documents: [DocumentPath: Int]?

  mutating func begin(_ kind: Operation.Kind, _ document: DocumentPath?, bytes: Int) {
    switch kind {
    case .immediate: break
    case .read: reads += 1
    case .write:
      writes += 1
      writeBytes += bytes
      if let document { documents?[document, default: 0] += 1 } else { writesAnywhere += 1 }
    }
  }

  mutating func end(_ kind: Operation.Kind, _ document: DocumentPath?, bytes: Int) {
    switch kind {
    case .immediate: break
    case .read: reads -= 1
    case .write:
      writeBytes -= bytes
      endWrite(of: document)
    }
  }

  private mutating func endWrite(of document: DocumentPath?) {
    writes -= 1
    guard let document else { return writesAnywhere -= 1 }
    guard writes > 0 else { return documents = nil }
    if let count = documents?[document] { documents?[document] = count > 1 ? count - 1 : nil }
  }

  /// Whether it is known which documents the writes are about, or that it need not be.
  var knowsDocuments: Bool { documents != nil || writesAnywhere > 0 }

  /// - Parameter written: the documents of the writes that are about one.
  mutating func learnDocuments(_ written: some Sequence<DocumentPath>) {
    documents = written.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  /// Whether a read of one document sees the same before the writes are done.
  func mayOvertakeWrites(reading path: DocumentPath) -> Bool {
    writesAnywhere == 0 && documents?[path] == nil
  }
}
