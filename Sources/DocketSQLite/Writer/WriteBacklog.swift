import DequeModule
import DocketStore

/// What the writer has taken from the queue and not yet answered, oldest first.
struct WriteBacklog {
  /// Work of one session that stands together.
  struct Run {
    let destination: AnswerDestination
    let work: ArraySlice<Work>
    let bytes: Int
  }

  private var submissions = Deque<WriteQueue.Submission>()
  /// So many pieces of the first submission were taken already.
  private var offset = 0

  var isEmpty: Bool { submissions.isEmpty }

  mutating func append(_ submissions: [WriteQueue.Submission]) {
    self.submissions.append(contentsOf: submissions)
  }

  /// Takes work from the front until there are `count` pieces of it or they have at least `bytes`.
  mutating func take(count limit: Int, bytes limitBytes: Int) -> [Run] {
    var runs: [Run] = []
    var count = 0
    var totalBytes = 0
    while let first = submissions.first, count < limit, totalBytes < limitBytes {
      var end = offset
      var bytes = 0
      while end < first.work.count, count < limit, totalBytes + bytes < limitBytes {
        bytes += first.work[end].queueBytes
        count += 1
        end += 1
      }
      totalBytes += bytes
      runs.append(Run(destination: first.destination, work: first.work[offset..<end], bytes: bytes))
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
    while let first = submissions.first, first.submittedMilliseconds <= milliseconds {
      let work = first.work[offset...]
      runs.append(
        Run(destination: first.destination, work: work, bytes: work.reduce(0) { $0 + $1.queueBytes }))
      submissions.removeFirst()
      offset = 0
    }
    return runs
  }
}
