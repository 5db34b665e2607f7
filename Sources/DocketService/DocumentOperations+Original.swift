import DocketStore
import DocketWire
import NIOCore

extension DocumentOperations {
  /// The list as the original server prints it: oldest first, which is the order of the ids.
  func readList(completion: @escaping (Response) -> Void) {
    let listBytes = limits.listBytes
    access.scan(
      Router.items, after: nil, into: ItemList(),
      visit: { list, document in list.add(document, limit: listBytes) },
      completion: { result in
        switch result {
        case .success(let list) where list.isCut: completion(Response(.contentTooLarge))
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

private struct ItemList: Sendable {
  private var text = ByteBuffer(staticString: "[")
  private(set) var isCut = false

  mutating func add(_ document: Document, limit: Int) -> ScanStep {
    if text.readableBytes + document.data.readableBytes + 2 > limit {
      isCut = true
      return .stop
    }
    if text.readableBytes > 1 { text.writeStaticString(", ") }
    text.writeImmutableBuffer(document.data)
    return .next
  }

  mutating func finish() -> ByteBuffer {
    text.writeStaticString("]")
    return text
  }
}
