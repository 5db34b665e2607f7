import DocketStore
import DocketTestSupport
import Logging
import NIOCore
import Testing

@testable import DocketSQLite

@Suite("The progress of what settings need")
struct BuildProgressTests {
  private static let notes = CollectionPath(unchecked: "/notes/")

  @Test("is told while it is made, and ends when it is there")
  func told() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    let writes = (0..<60_000).map { number in
      Write.put(
        DocumentPath(number % 3 == 0 ? "/other/" : "/notes/", "\(number)"),
        data: ByteBuffer(string: #"{"a": \#(number % 7), "b": "text \#(number)", "c": null}"#))
    }
    for start in stride(from: 0, to: writes.count, by: 10_000) {
      _ = try await session.writeAll(Array(writes[start..<start + 10_000]))
    }
    let index = CollectionIndex(["a", "-b", "c"].map(CollectionIndex.Key.init(name:)))
    let other = try store.session()
    async let change = session.change(Self.notes, to: CollectionSettings(indexes: [index]))
    var percents: [Int] = []
    while try await other.settings(of: Self.notes) == nil {
      guard let build = try await other.status().build else { continue }
      #expect(build.name == #"/notes/ ["a", "-b", "c"]"#)
      percents.append(build.percent)
    }
    #expect(try await change.indexes == 1)
    #expect(percents == percents.sorted() && percents.count > 0 && percents.allSatisfy { (0...99).contains($0) })
    #expect(try await other.status().build == nil)
    await session.close()
    await other.close()
    try store.closeAndCheck()
  }

  @Test("rests on an estimate of SQLite's steps that is nearly right")
  func estimate() async throws {
    let store = try StoreFixture()
    let session = try store.session()
    _ = try await session.writeAll(
      (0..<2_000).map { .put("/notes/", "\($0)", #"{"a": \#($0), "b": "text", "d": 1.5}"#) }
        + (0..<1_000).map { .put("/other/", "\($0)", "1") })
    let outside = try store.connect()
    for fields in [["a"], ["b"], ["c"], ["d", "a"], ["a", "-b", "c"]] {
      let object = IndexSchema(CollectionIndex(fields.map(CollectionIndex.Key.init(name:))), of: Self.notes).object
      let making = try outside.prepare(object.create, persistent: false)
      try making.run()
      let steps = Double(making.stepsTaken)
      let estimate = Double(3 * 3_000 + object.stepsPerDocument * 2_000)
      #expect((0.75...1.35).contains(estimate / steps), "\(fields): \(estimate) of \(steps)")
    }
    let text = TextSchema([FieldPath(unchecked: ["b"]), FieldPath(unchecked: ["c"])], of: Self.notes).object
    try outside.execute(text.create)
    let filling = try outside.prepare(try #require(text.fill), persistent: false)
    try filling.run()
    let filled = Double(3 * 3_000 + text.stepsPerDocument * 2_000) / Double(filling.stepsTaken)
    #expect((0.75...1.35).contains(filled), "\(filled)")
    outside.close()
    await session.close()
    try store.closeAndCheck()
  }
}
