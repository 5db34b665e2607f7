import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@Suite("What a watcher is told of a change")
struct ToldTests {
  private static let isOne = Filter.test(
    .value(FieldPath(unchecked: ["n"])), .equal(QueryValue(token: "1")))

  private func change(_ kind: Version.Kind, before: String?, after: String?, isDefective: Bool = false) -> Change {
    let path = DocumentPath("/t/", "1")
    func document(_ text: String, _ revision: Int64) -> Document {
      Document(
        path: path, revision: Revision(revision), created: Timestamp(milliseconds: 1),
        updated: Timestamp(milliseconds: 2), data: ByteBuffer(string: text))
    }
    return Change(
      sequence: Revision(2), kind: kind, path: path, at: Timestamp(milliseconds: 2), batch: nil,
      document: after.map { document($0, 2) }, before: before.map { document($0, 1) },
      defect: isDefective ? .invalidDocument(path, reason: "") : nil)
  }

  @Test("is, without a condition, what was done")
  func withoutCondition() {
    for (kind, told) in [
      (.created, .created), (.updated, .updated), (.deleted, .deleted), (.expired, .expired),
    ] as [(Version.Kind, Told)] {
      #expect(change(kind, before: nil, after: nil).told(to: nil) == told)
      #expect(change(kind, before: "1", after: "2").told(to: nil) == told)
    }
    #expect(change(.updated, before: nil, after: nil, isDefective: true).told(to: nil) == .updated)
  }

  @Test("says with a condition also that the document no longer matches, and nothing of one that never did")
  func withCondition() {
    let (one, two) = (#"{"n":1}"#, #"{"n":2}"#)
    for (kind, before, after, told) in [
      (.created, nil, one, .created), (.created, nil, two, nil), (.updated, one, one, .updated),
      (.updated, two, one, .updated), (.updated, one, two, .left), (.updated, two, two, nil),
      (.deleted, one, nil, .deleted), (.deleted, two, nil, nil), (.expired, one, nil, .expired),
      (.expired, two, nil, nil),
    ] as [(Version.Kind, String?, String?, Told?)] {
      let change = change(kind, before: before, after: after)
      #expect(change.told(to: Self.isOne) == told, "\(kind) from \(before ?? "-") to \(after ?? "-")")
    }
  }

  @Test("of a document that cannot be read is that it no longer matches, if it did")
  func defective() {
    #expect(change(.updated, before: #"{"n":1}"#, after: nil, isDefective: true).told(to: Self.isOne) == .left)
    #expect(change(.updated, before: #"{"n":2}"#, after: nil, isDefective: true).told(to: Self.isOne) == nil)
    #expect(change(.updated, before: nil, after: #"{"n":1}"#).told(to: Self.isOne) == .updated)
    #expect(change(.created, before: nil, after: nil, isDefective: true).told(to: Self.isOne) == nil)
  }
}

extension QueryValue {
  fileprivate init(token: String) {
    self = Array(token.utf8).withUnsafeBytes { QueryValue(token: $0) }
  }
}
