import NIOCore

/// What a watch tells.
public enum WatchEvent: Sendable, Equatable {
  /// A document was written or has gone; in a snapshot: there it is.
  case change(WatchChange)
  /// What was there before is told, and what follows is told as it comes. Behind a snapshot the sequence is the revision
  /// that the snapshot is of. It is told once, and again behind `reset` and `interrupted`.
  case live(WatchMark)
  /// Every change up to this one that the watch is to tell has been told. Only where the options ask for it.
  case heartbeat(WatchMark)
  /// What was told so far is to be forgotten: the snapshot could not be completed, or the changes behind it are no longer
  /// to be had, and another snapshot follows.
  case reset
  /// The connection was lost, and another one will be tried. Only where the options ask for it, once for each connection.
  case interrupted(DocketClientError)
}

/// A change of one document.
public struct WatchChange: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case created
    case updated
    case deleted
    /// Its lifetime is over.
    case expired
    /// The watch's condition no longer holds for it.
    case left
    /// Nothing has changed: the document is one of a snapshot.
    case snapshot
  }

  /// The change's number, greater than that of the one before; nil in a snapshot. With the history's name it is where
  /// another watch can go on: `WatchStart.since`.
  public let sequence: Int64?
  public let kind: Kind
  /// The document's path, as a request may name it.
  public let path: String
  public let revision: Int64
  /// JSON text, byte for byte as it was written; nil when the document has gone.
  public let document: ByteBuffer?
  /// When it was written: RFC 3339, UTC.
  public let time: String
  /// Of a change in a batch: the sequence of the batch's first change.
  public let batch: Int64?
  /// The name of the history that the sequence is of.
  public let history: String
  /// All of this as the server told it.
  public let json: ByteBuffer
}

/// How far a watch is.
public struct WatchMark: Sendable, Equatable {
  public let sequence: Int64
  /// The name of the history that the sequence is of.
  public let history: String
  /// All of this as the server told it.
  public let json: ByteBuffer
}

extension WatchChange {
  /// - Parameters:
  ///   - fields: those of `json`.
  ///   - kind: as the server names it.
  init(
    _ fields: AnswerFields, kind name: String, history: String, json: ByteBuffer
  ) throws(DocketClientError) {
    guard let kind = Kind(rawValue: name) else { throw .badAnswer(reason: "no change is called '\(name)'") }
    self.kind = kind
    sequence = kind == .snapshot ? nil : try fields.integer("sequence")
    path = try fields.text("path")
    revision = try fields.integer("revision")
    // A document may be null.
    document = kind == .deleted || kind == .expired ? nil : try fields.value("document")
    time = try fields.text("at")
    batch = try fields.optionalInteger("batch")
    self.history = history
    self.json = json
  }
}
