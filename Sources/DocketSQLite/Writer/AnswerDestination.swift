/// Where the answers to a session's work go.
///
/// `@unchecked Sendable`: `results` belongs to whoever does an acknowledger's job, one at a time; the rest does not change.
final class AnswerDestination: @unchecked Sendable {
  private let deliver: @Sendable ([WorkAnswer]) -> Void
  private var results: [WorkAnswer] = []

  /// - Parameter deliver: takes the answers of one group, in the order in which the work was submitted.
  init(deliver: @escaping @Sendable ([WorkAnswer]) -> Void) {
    self.deliver = deliver
  }

  /// Notes answers. Returns whether they are the first since the last `flush`.
  func append(_ answers: ArraySlice<WorkAnswer>) -> Bool {
    let isFirst = results.isEmpty
    results.append(contentsOf: answers)
    return isFirst
  }

  /// Delivers what was noted.
  func flush() {
    let answers = results
    results = []
    deliver(answers)
  }
}
