/// What was done, or would be, to make documents what they were: counts of them.
public struct PastOutcome: Sendable, Equatable {
  /// The newest change of that moment.
  public internal(set) var revision: Int64 = 0
  /// They had changed since, or were gone, and are as they were.
  public internal(set) var putBack: Int64 = 0
  /// They were not there at that moment, and are gone.
  public internal(set) var deleted: Int64 = 0
  /// They are as they were.
  public internal(set) var left: Int64 = 0
  /// They were there, but their time has run out since: they stay away.
  public internal(set) var expired: Int64 = 0
}
