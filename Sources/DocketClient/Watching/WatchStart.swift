/// Where a watch begins.
public enum WatchStart: Sendable, Equatable {
  /// With what changes from now on, which is when the first event is asked for.
  case now
  /// Behind a change: with the first one whose sequence is greater.
  /// - Parameter history: the name of the history that the sequence is of, as an event told it. Where the database has
  ///   another one by now, since a backup was restored say, the watch is refused; nil does without that check.
  case since(Int64, history: String? = nil)
  /// With the documents as they are; what changes from there on follows.
  case snapshot
}
