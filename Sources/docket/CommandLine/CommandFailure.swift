/// A command could not do what it was asked to: one line on standard error, `docket: …`, and an exit status.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
  enum Status: Int32 {
    case failure = 1
    /// What was given on the command line is wrong.
    case usage = 2
  }

  /// What went wrong and, where that is known, how to mend it. One line, no full stop at its end.
  let description: String
  let status: Status
  /// Whether there was nobody to ask.
  let isOfConnection: Bool

  init(_ description: String, status: Status = .failure, isOfConnection: Bool = false) {
    self.description = description
    self.status = status
    self.isOfConnection = isOfConnection
  }
}
