import DocketStore
import DocketWire
import NIOCore

extension DocumentOperations {
  /// The list as the original server prints it: oldest first, which is the order of the ids.
  func readList(completion: @escaping (Response) -> Void) {
    let listBytes = limits.listBytes
    access.scan(
      Router.items, after: nil, into: ItemList(room.emptyShare()),
      visit: { list, document in list.add(document.data, limit: listBytes) },
      completion: { [room] result in
        switch result {
        case .success(let list) where list.isTooLarge: completion(Response(.contentTooLarge))
        case .success(let list) where list.isCrowdedOut: completion(.answersWait(limit: room.limitBytes))
        case .success(var list): completion(Response(.ok, data: list.finish()))
        case .failure(let error): completion(error.response(.original))
        }
      })
  }

  func writeItem(_ write: Write, completion: @escaping (Response) -> Void) {
    access.submit(write) { result in
      switch result {
      case .success(.created): completion(Response(.created))
      case .success(.replaced): completion(Response(.ok))
      case .success(.deleted): completion(Response(.noContent))
      case .success(.notFound): completion(Response(.notFound))
      case .success(.conditionFailed): completion(Response(.preconditionFailed))
      case .failure(let error): completion(error.response(.original))
      }
    }
  }
}

/// What is read of the list so far.
struct ItemList: Sendable {
  private var text = ByteBuffer(staticString: "[")
  /// A list has no pages and may be very long, so that it takes room while it is made.
  private let share: AnswerRoom.Share
  private(set) var isTooLarge = false
  private(set) var isCrowdedOut = false

  init(_ share: AnswerRoom.Share) { self.share = share }

  mutating func add(_ document: ByteBuffer, limit: Int) -> ScanStep {
    isTooLarge = text.readableBytes + document.readableBytes + 2 > limit
    isCrowdedOut = share.isCrowdedOut
    if isTooLarge || isCrowdedOut { return .stop }
    share.grow(by: document.readableBytes)
    if text.readableBytes > 1 { text.writeStaticString(", ") }
    text.writeImmutableBuffer(document)
    return .next
  }

  mutating func finish() -> ByteBuffer {
    text.writeStaticString("]")
    share.giveBack()
    return text
  }
}
