import DocketStore
import DocketTestSupport
import NIOCore
import Testing

@Suite("A view of a document")
struct DocumentViewTests {
  private static let documents = [
    Document(
      path: DocumentPath("/c/", "1"), revision: Revision(7), created: Timestamp(milliseconds: 1),
      updated: Timestamp(milliseconds: 2), expires: Timestamp(milliseconds: 3), data: .init(string: "{\"a\":1}")),
    Document(
      path: DocumentPath("/é/x/", "a \u{1F600}\"%"), revision: Revision(8), created: Timestamp(milliseconds: 4),
      updated: Timestamp(milliseconds: 4), data: .init(string: "[]")),
  ]

  @Test("holds all that the document does")
  func whole() {
    for document in Self.documents { #expect(document.withView { Document($0) } == document) }
  }

  @Test("that was kept is the last one's, though a longer one was kept before")
  func last() {
    var last = LastDocument()
    #expect(last.withView { Document($0) } == nil)
    for document in Self.documents + Self.documents.reversed() {
      document.withView { last.keep($0) }
      let copy = last
      #expect(last.withView { Document($0) } == document)
      Self.documents[0].withView { last.keep($0) }
      #expect(copy.withView { Document($0) } == document)
    }
  }
}
