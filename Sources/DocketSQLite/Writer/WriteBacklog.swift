import DequeModule
import DocketStore

/// What the writer has taken from the queue and not yet answered, oldest first.
struct WriteBacklog {
  /// Writes of one session that stand together.
  struct Run {
    let destination: AnswerDestination
    let writes: ArraySlice<Write>
    let bytes: Int
  }

  private var submissions = Deque<WriteQueue.Submission>()
  /// So many writes of the first submission were taken already.
  private var offset = 0

  var isEmpty: Bool { submissions.isEmpty }

  mutating func append(_ submissions: [WriteQueue.Submission]) {
    self.submissions.append(contentsOf: submissions)
  }

  /// Takes writes from the front until there are `writes` of them or they have at least `bytes`.
  mutating func take(writes limit: Int, bytes limitBytes: Int) -> [Run] {
    var runs: [Run] = []
    var count = 0
    var totalBytes = 0
    while let first = submissions.first, count < limit, totalBytes < limitBytes {
      var end = offset
      var bytes = 0
      while end < first.writes.count, count < limit, totalBytes + bytes < limitBytes {
        bytes += first.writes[end].queueBytes
        count += 1
        end += 1
      }
      totalBytes += bytes
      runs.append(Run(destination: first.destination, writes: first.writes[offset..<end], bytes: bytes))
      if end == first.writes.count {
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
      let writes = first.writes[offset...]
      runs.append(
        Run(destination: first.destination, writes: writes, bytes: writes.reduce(0) { $0 + $1.queueBytes }))
      submissions.removeFirst()
      offset = 0
    }
    return runs
  }
}
