import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@Suite("The first documents in an order")
struct FirstDocumentsTests {
  private func document(_ number: Int, _ random: inout RandomQueries) -> Document {
    Document(
      path: DocumentPath(random.element(RandomQueries.collections), "\(number)"), revision: Revision(Int64(number)),
      created: Timestamp(milliseconds: 0), updated: Timestamp(milliseconds: 0),
      data: ByteBuffer(string: random.document().text))
  }

  @Test("are those that sorting puts first, whatever the order in which they come")
  func sorting() {
    var random = RandomQueries(generator: .forTest(named: "first documents"))
    for _ in 0..<300 {
      let documents = (0..<Int.random(in: 0...40, using: &random.generator)).map { document($0, &random) }
      let keys = random.sort().map { Query.SortKey(Field(sample: $0.field), isDescending: $0.isDescending) }
      let order = QueryOrder(keys)
      let after = random.isChosen(1, of: 2) ? documents.randomElement(using: &random.generator) : nil
      let limit = Int.random(in: 1...12, using: &random.generator)
      let limitBytes = random.isChosen(1, of: 2) ? Int.max : Int.random(in: 1...400, using: &random.generator)

      var sorted = documents.sorted { order.order(order.position(of: $0), order.position(of: $1)) < 0 }
      if let after {
        sorted.removeAll { order.order(order.position(of: $0), order.position(of: after)) <= 0 }
      }
      var expected: [Document] = []
      var bytes = 0
      for document in sorted.prefix(limit) where expected.count < 2 || bytes < limitBytes {
        expected.append(document)
        bytes += document.data.readableBytes
      }

      var first = FirstDocuments(order, after: after.map(order.position), limit: limit, limitBytes: limitBytes)
      for document in documents.shuffled(using: &random.generator) { document.withView { first.add($0) } }
      #expect(first.sorted().map(\.path) == expected.map(\.path), "\(limit) of \(limitBytes) bytes by \(keys)")
    }
  }
}
