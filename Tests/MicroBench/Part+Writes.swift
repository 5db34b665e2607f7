import DocketService
import DocketStore
import DocketWire
import NIOCore

extension Part {
  static func writes(_ store: Store) -> [Part] {
    [1, 32, 256].map { put("PUT of 100 bytes in the store, \($0) to a group", count: $0, store) }
  }

  private static func put(_ name: String, count: Int, _ store: Store) -> Part {
    let data = ByteBuffer(string: Samples.document)
    let writes = (0..<Store.documents).map { Write.put(Samples.documentPath($0), data: data) }
    var keys = KeyOrder(count: writes.count)
    return Part(name, count: count) {
      store.tick(answers: count) { answered in
        for _ in 0..<count {
          store.session.submit(writes[keys.next()]) { result in
            guard case .success = result else { preconditionFailure("the store takes every write: \(result)") }
            answered()
          }
        }
      }
    }
  }
}
