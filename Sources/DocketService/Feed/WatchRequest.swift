import DocketStore
import NIOCore

/// A GET that goes on: what is told as it changes.
public struct WatchRequest: Sendable {
  enum Scope: Sendable {
    case document(DocumentPath)
    case documents(Query.Scope)
  }

  /// Where it begins.
  enum Start: Sendable {
    /// With what is written behind the request.
    case now
    case since(Revision)
    /// With the documents as they stand.
    case snapshot
  }

  let scope: Scope
  /// Of which documents; nil: of all.
  let filter: Filter?
  /// How many tests its condition has.
  let tests: Int
  /// How large its condition is, as JSON.
  let conditionBytes: Int
  let start: Start
  /// Of which history its start is; nil: of whichever there is.
  let history: String?
  /// How often it tells how far it is; nil: not at all.
  let heartbeatSeconds: Int64?
  /// What may be told; nil: all.
  var readable: PathPrefixes?
  /// By what its watcher may have it; nil: nobody has asked.
  var grant: Grant?

  /// What its watcher is told of a change; nil: nothing.
  func told(_ change: Change) -> Told? {
    guard readable?.cover(change.path) ?? true else { return nil }
    return change.told(to: filter)
  }

  static let names = ["watch", "since", "where", "snapshot", "heartbeat", "history"]
  private static let heartbeats: ClosedRange<Int64> = 1...3600

  /// - Returns: nil where the parameters say that nothing is to be watched.
  init?(_ scope: Scope, _ parameters: ReadParameters) throws(ParameterError) {
    guard parameters.has("watch"), try parameters.flag("watch") == true else { return nil }
    var names = Self.names
    if case .documents(.collection(let collection)) = scope {
      names.append("recursive")
      self.scope = try parameters.flag("recursive") == true ? .documents(.tree(collection)) : scope
    } else {
      self.scope = scope
    }
    try parameters.checkNames(names, of: "A watch")
    filter = try parameters.changeFilter()
    tests = filter?.tests ?? 0
    conditionBytes = try parameters.objects("where").reduce(0) { $0 + $1.readableBytes }
    history = parameters.text("history")
    let since = try parameters.revision("since")
    if try parameters.flag("snapshot") == true {
      guard since == nil else {
        throw .invalidQuery("A watch begins with a snapshot or behind 'since'; leave one of the two out.")
      }
      start = .snapshot
    } else {
      start = since.map { .since($0) } ?? .now
    }
    heartbeatSeconds = try parameters.text("heartbeat").map { text throws(ParameterError) in
      guard let seconds = Int64(text), Self.heartbeats.contains(seconds) else {
        throw .invalidQuery(
          "'heartbeat' must be a whole number of seconds, from \(Self.heartbeats.lowerBound) to \(Self.heartbeats.upperBound)."
        )
      }
      return seconds
    }
  }
}

/// How much watches may take of the server. Each limit has a flag of `docket serve`.
public struct WatchLimits: Sendable, Equatable {
  /// How many watches a connection may have.
  public var perConnection: Int
  /// How many there may be in all.
  public var inAll: Int
  /// How much may wait to be sent on a connection, in bytes, before its watches go on from the history.
  public var backlogBytes: Int
  /// The same of all connections together.
  public var totalBacklogBytes: Int
  /// How large their conditions may be together, in bytes of JSON.
  public var conditionBytes: Int

  public init(
    perConnection: Int = 1_024, inAll: Int = 100_000, backlogBytes: Int = 256 << 10, totalBacklogBytes: Int = 64 << 20,
    conditionBytes: Int = 32 << 20
  ) {
    precondition(perConnection > 0 && inAll > 0 && backlogBytes > 0 && totalBacklogBytes > 0 && conditionBytes > 0)
    self.conditionBytes = conditionBytes
    self.perConnection = perConnection
    self.inAll = inAll
    self.backlogBytes = backlogBytes
    self.totalBacklogBytes = totalBacklogBytes
  }
}
