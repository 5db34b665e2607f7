import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@testable import DocketService

@Suite("A page of changes")
struct ChangesPageTests {
  /// A page that has looked at changes up to the sixth: the second and the third by themselves, and the first half of a batch that
  /// begins with the fifth.
  private func page(telling told: Set<Int64>, since: Int64, isAtEnd: Bool = false) -> String {
    var page = ChangesPage()
    for sequence in max(since + 1, 2)...6 where sequence != 4 {
      let change = Change(
        sequence: Revision(sequence), kind: .deleted, path: DocumentPath("/a/", "\(sequence)"),
        at: Timestamp(milliseconds: 0), batch: sequence < 5 ? nil : Revision(5), document: nil, before: nil)
      _ = page.add(change, told: told.contains(sequence) ? .deleted : nil, limit: 100, bytes: 1_000)
    }
    let progress = ChangeProgress(sequence: Revision(6), isAtEnd: isAtEnd)
    let text = String(buffer: page.finish(progress, since: Revision(since), "h"))
    return text.components(between: "\"path\": \"", and: "\"").joined(separator: " ")
      + (text.components(between: "], ", and: ", \"sequence\"").first ?? "")
  }

  @Test("ends before a batch of which it has seen a part when it has looked at as much as it may, so that none is torn")
  func whole() {
    #expect(page(telling: [2, 3, 5, 6], since: 0) == #"/a/2 /a/3"next": 4"#)
    #expect(page(telling: [2, 6], since: 0) == #"/a/2"next": 4"#)
    #expect(page(telling: [5], since: 0) == #""next": 4"#)
    // Of this one nothing was told.
    #expect(page(telling: [2], since: 0) == #"/a/2"next": 6"#)
    #expect(page(telling: [], since: 0) == #""next": 6"#)
  }

  @Test("has what it has of one that is larger than a page may be, and all of one that has come to its end")
  func alone() {
    #expect(page(telling: [5, 6], since: 4) == #"/a/5 /a/6"next": 6"#)
    #expect(page(telling: [2, 5, 6], since: 0, isAtEnd: true) == #"/a/2 /a/5 /a/6"next": null"#)
  }
}
