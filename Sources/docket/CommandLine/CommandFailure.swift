/// A command could not do what it was asked to: one line on standard error, `docket: …`, and exit status 1.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
  /// What went wrong and, where that is known, how to mend it. One line, no full stop at its end.
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
