import DequeModule
import DocketStore

/// What the writer has taken from the queue and not yet answered, oldest first.
struct WriteBacklog {
  /// Work of one session that stands together.
  struct Run: Sendable {
    let destination: AnswerDestination
    let work: ArraySlice<Work>
    let size: WorkSize
    let submittedMilliseconds: Int64

    init(_ submission: WriteQueue.Submission, _ work: ArraySlice<Work>) {
      self.init(submission.destination, work, submittedMilliseconds: submission.submittedMilliseconds)
    }

    private init(_ destination: AnswerDestination, _ work: ArraySlice<Work>, submittedMilliseconds: Int64) {
      self.destination = destination
      self.work = work
      self.submittedMilliseconds = submittedMilliseconds
      size = work.reduce(into: WorkSize()) { $0 += $1.size }
    }

    /// The first `count` pieces, and the rest.
    func split(at count: Int) -> (Run, Run) {
      func part(_ work: ArraySlice<Work>) -> Run {
        Run(destination, work, submittedMilliseconds: submittedMilliseconds)
      }
      return (part(work.prefix(count)), part(work.dropFirst(count)))
    }
  }

  private var submissions = Deque<WriteQueue.Submission>()
  /// So many pieces of the first submission were taken already.
  private var offset = 0
  /// What was taken and given back; it is older than the submissions.
  private var givenBack = Deque<Run>()

  var isEmpty: Bool { submissions.isEmpty && givenBack.isEmpty }

  mutating func append(_ submissions: [WriteQueue.Submission]) {
    self.submissions.append(contentsOf: submissions)
  }

  /// Gives back what `take` gave last, but for the first `count` pieces of work.
  /// - Returns: those.
  mutating func giveBack(_ runs: [Run], behind count: Int) -> [Run] {
    var kept: [Run] = []
    var left = count
    var rest: [Run] = []
    for run in runs {
      switch left {
      case run.work.count...: kept.append(run)
      case 0: rest.append(run)
      default:
        let (done, undone) = run.split(at: left)
        kept.append(done)
        rest.append(undone)
      }
      left = max(left - run.work.count, 0)
    }
    givenBack.prepend(contentsOf: rest)
    return kept
  }

  /// Takes work from the front until there are `count` pieces of it or they have at least `bytes`; what was given back
  /// comes as it was.
  mutating func take(count limit: Int, bytes limitBytes: Int) -> [Run] {
    var runs: [Run] = []
    var count = 0
    var totalBytes = 0
    while count < limit, totalBytes < limitBytes, let run = givenBack.popFirst() {
      runs.append(run)
      count += run.work.count
      totalBytes += run.size.bytes
    }
    while let first = submissions.first, count < limit, totalBytes < limitBytes {
      var end = offset
      while end < first.work.count, count < limit, totalBytes < limitBytes {
        totalBytes += first.work[end].size.bytes
        count += 1
        end += 1
      }
      runs.append(Run(first, first.work[offset..<end]))
      if end == first.work.count {
        submissions.removeFirst()
        offset = 0
      } else {
        offset = end
      }
    }
    return runs
  }

  /// Takes everything that was submitted at or before a moment, by the uptime clock.
  mutating func take(submittedUntil milliseconds: Int64) -> [Run] {
    var runs: [Run] = []
    while let first = givenBack.first, first.submittedMilliseconds <= milliseconds {
      runs.append(givenBack.removeFirst())
    }
    guard givenBack.isEmpty else { return runs }
    while let first = submissions.first, first.submittedMilliseconds <= milliseconds {
      runs.append(Run(first, first.work[offset...]))
      submissions.removeFirst()
      offset = 0
    }
    return runs
  }
}
