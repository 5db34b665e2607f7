import DocketService
import DocketWire
import NIOCore

extension Part {
  static func reads(_ store: Store, from place: String) -> [Part] {
    [1, 64].map { get("GET of 100 bytes from \(place), \($0) to a tick", count: $0, store) }
  }

  static func page(_ store: Store) throws -> Part {
    let operation = Router(limits: WireLimits()).operation(for: try Request.parse(ByteBuffer(string: Samples.getPage)))
    return Part("page of 100 documents, by a thread for scans") {
      store.tick(answers: 1) { answered in
        store.service.perform(operation, withHeaders: false) { response in
          precondition(response.status == .ok)
          answered()
        }
      }
    }
  }

  private static func get(_ name: String, count: Int, _ store: Store) -> Part {
    let paths = (0..<Store.documents).map { ByteBuffer(string: Samples.path($0)) }
    var keys = KeyOrder(count: paths.count)
    var output = ByteBufferAllocator().buffer(capacity: 64 << 10)
    store.readAll()
    return Part(name, count: count) {
      output.clear()
      store.tick { _ in
        for _ in 0..<count {
          let isAnswered = paths[keys.next()].withUnsafeReadableBytes {
            store.service.answerAtOnce($0, into: &output)
          }
          precondition(isAnswered)
        }
      }
    }
  }
}
