import DocketStore
import DocketWire

/// Carries out operations on documents: each by itself in a session, or those of a batch in their transaction.
struct DocumentOperations {
  let access: any DocumentAccess
  let limits: ServiceLimits
  let room: AnswerRoom
  /// Whether nothing of this will stay, so that no write gets a revision.
  var isTrial = false

  /// - Parameter completion: called once, when the store answers.
  func perform(_ operation: DocumentOperation, withHeaders: Bool, completion: @escaping (Response) -> Void) {
    switch operation {
    case .readDocument(let path, let condition):
      readDocument(path, condition, withHeaders: withHeaders, completion: completion)
    case .readPage(let request): readPage(request, completion: completion)
    case .readList: readList(completion: completion)
    case .write(let write, .original): writeItem(write, completion: completion)
    case .write(let write, let form): self.write(write, form, withHeaders: withHeaders, completion: completion)
    }
  }
}
