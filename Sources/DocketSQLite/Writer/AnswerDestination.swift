import DocketStore

/// Where the answers to a session's writes go.
///
/// `@unchecked Sendable`: `results` belongs to the writer's thread alone, the rest does not change.
final class AnswerDestination: @unchecked Sendable {
  typealias Answer = Result<WriteOutcome, StoreError>

  private let deliver: @Sendable ([Answer]) -> Void
  private var results: [Answer] = []

  /// - Parameter deliver: takes the answers of one group, in the order in which the writes were submitted.
  init(deliver: @escaping @Sendable ([Answer]) -> Void) {
    self.deliver = deliver
  }

  /// Notes answers. Returns whether they are the first since the last `flush`. On the writer's thread only.
  func append(_ answers: ArraySlice<Answer>) -> Bool {
    let isFirst = results.isEmpty
    results.append(contentsOf: answers)
    return isFirst
  }

  /// Delivers what was noted. On the writer's thread only.
  func flush() {
    let answers = results
    results = []
    deliver(answers)
  }
}
