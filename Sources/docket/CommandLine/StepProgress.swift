import ArgumentParser
import DocketSQLite

/// Whether something that takes long says how far it is.
struct ProgressOptions: ParsableArguments {
  @Flag(help: "Do not show on the terminal how far it is.")
  var quiet = false

  /// Shows on the terminal how far a piece of work is, and ends it where somebody presses Ctrl-C.
  func follow<Value, Failure: Error & CustomStringConvertible>(
    _ body: (_ report: (CareProgress) -> Bool) throws(Failure) -> Value
  ) throws(CommandFailure) -> Value {
    StopSignal.watch()
    let line = StepProgress(isQuiet: quiet)
    defer { line.clear() }
    do {
      return try body { line.show($0) && !StopSignal.isStopped }
    } catch {
      line.clear()
      throw CommandFailure("\(error)")
    }
  }
}

/// One line on a terminal that tells which step something is at, and how much of it is done: ten times a second at most.
final class StepProgress {
  /// Nil: nothing is shown.
  private let stream: StandardStream?
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant?
  private var shown: CareProgress?

  init(isQuiet: Bool) {
    stream = isQuiet || !StandardStream.error.isTerminal ? nil : .error
  }

  /// - Returns: true, so that it can be a part of a closure that says whether to go on.
  func show(_ progress: CareProgress) -> Bool {
    guard let stream, progress != shown else { return true }
    let now = clock.now
    if let last, shown?.step == progress.step, now - last < .milliseconds(100) { return true }
    last = now
    shown = progress
    // Where the terminal has gone the work goes on.
    try? stream.write(Array("\r\u{1B}[K\(Self.line(progress))".utf8)[...])
    return true
  }

  /// Takes the line away, so that something else can be told.
  func clear() {
    guard shown != nil, let stream else { return }
    shown = nil
    try? stream.write(Array("\r\u{1B}[K".utf8)[...])
  }

  /// `checking changes  43%  [########            ]`
  static func line(_ progress: CareProgress) -> String {
    guard let percent = progress.percent else { return "\(progress.step) …" }
    let filled = max(0, min(barWidth, percent * barWidth / 100))
    let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: barWidth - filled)
    return "\(progress.step)  \(percent)%  [\(bar)]"
  }

  private static let barWidth = 20
}
