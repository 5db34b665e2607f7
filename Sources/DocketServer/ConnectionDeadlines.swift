/// Since when a connection's client has owed something.
///
/// Times are those of the loop's sweeps (`LoopContext.sweeps`), so that no request pays for a clock.
struct ConnectionDeadlines {
  /// When the client was last seen to do something.
  private(set) var lastActivity: Int
  /// When the frame that is on its way began, and how many had ended before it.
  private var frame: (began: Int, framesBefore: Int)?
  private var untakenBytes = 0

  init(at sweep: Int) {
    lastActivity = sweep
  }

  mutating func noteActivity(at sweep: Int) {
    lastActivity = sweep
    untakenBytes = 0
  }

  /// When the frame that is on its way began; nil where none is.
  var frameBegan: Int? { frame?.began }

  /// - Parameter framesEnded: how many frames have ended, by which it is told whether this one is another.
  mutating func noteFrame(framesEnded: Int, at sweep: Int) {
    if frame?.framesBefore != framesEnded { frame = (sweep, framesEnded) }
  }

  mutating func forgetFrame() { frame = nil }

  /// Counts answers that are being taken as activity.
  /// - Parameter bytes: how many are not taken yet.
  /// - Returns: whether some are, and are not those that were not taken before.
  @discardableResult
  mutating func noteUntaken(_ bytes: Int, at sweep: Int) -> Bool {
    let areOthers = bytes > 0 && bytes != untakenBytes
    if areOthers { lastActivity = sweep }
    untakenBytes = bytes
    return areOthers
  }
}
