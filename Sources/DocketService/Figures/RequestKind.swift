import DocketWire

/// What requests are counted apart by.
public enum RequestKind: UInt8, Sendable, CaseIterable {
  /// Of one document.
  case read
  /// Of one document.
  case write
  case batch
  /// A page of a collection as it stands, or the original list.
  case page
  /// Queries, searches, counts and aggregations.
  case query
  /// Documents as they were, their versions and restorations.
  case past
  case changes
  case watch
  case settings
  case tokens
  case backups
  /// Health, access and statistics.
  case status
  /// What the store was not asked for: the greeting, the echo, and what is refused.
  case other
}

public enum RequestOutcome: UInt8, Sendable, CaseIterable {
  case ok
  /// The request cannot be carried out as it stands: 400 to 499.
  case refused
  /// The server could not, or not now: from 500.
  case failed

  public init(_ status: Status) { self.init(code: status.rawValue) }

  public init(code: Int) { self = code < 400 ? .ok : code < 500 ? .refused : .failed }
}

extension Operation {
  public var requestKind: RequestKind {
    switch self {
    case .answer, .answerLater: .other
    case .reportHealth, .reportReadiness, .reportAccess, .readStats: .status
    case .document(.readDocument): .read
    case .document(.readPage), .document(.readList), .readCollections: .page
    case .document(.write), .once: .write
    case .batch: .batch
    case .past: .past
    case .query: .query
    case .settings: .settings
    case .tokens: .tokens
    case .backups: .backups
    case .readChanges: .changes
    case .watch, .endWatch: .watch
    }
  }
}
