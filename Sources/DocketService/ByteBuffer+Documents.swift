import DocketStore
import DocketWire
import NIOCore

/// How documents stand in answers.
extension ByteBuffer {
  /// `{"path": …, "id": …, "revision": …` with its brace left open.
  mutating func writeIdentity(_ path: DocumentPath, _ revision: Revision?) {
    writeStaticString("{\"path\": ")
    writeJSONString(path.requestPath)
    writeStaticString(", \"id\": ")
    writeJSONString(path.id)
    writeStaticString(", \"revision\": ")
    if let revision { writeDecimal(revision.rawValue) } else { writeStaticString("null") }
  }

  /// A document as a page shows it.
  mutating func writeItem(_ document: Document, withRevision: Bool) {
    writeIdentity(document.path, withRevision ? document.revision : nil)
    writeStaticString(", \"created\": ")
    writeJSONString(document.created.rfc3339)
    writeStaticString(", \"updated\": ")
    writeJSONString(document.updated.rfc3339)
    if let expires = document.expires {
      writeStaticString(", \"expires\": ")
      writeJSONString(expires.rfc3339)
    }
    writeStaticString(", \"document\": ")
    writeImmutableBuffer(document.data)
    writeStaticString("}")
  }
}
