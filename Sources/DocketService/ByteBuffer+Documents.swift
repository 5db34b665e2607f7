import DocketStore
import DocketWire
import NIOCore

/// How documents stand in answers.
extension ByteBuffer {
  /// `{"path": …, "id": …, "revision": …` with its brace left open.
  mutating func writeIdentity(_ path: DocumentPath, _ revision: Revision?) {
    guard !writePlainIdentity(path, revision) else { return }
    writeStaticString("{\"path\": ")
    writeJSONString(path.requestPath)
    writeStaticString(", \"id\": ")
    writeJSONString(path.id)
    writeStaticString(", \"revision\": ")
    if let revision { writeDecimal(revision.rawValue) } else { writeStaticString("null") }
  }

  /// The same, if path and id stand for themselves in a JSON string and in a path, as nearly all do; they are written in
  /// one step then. Returns whether they do.
  private mutating func writePlainIdentity(_ path: DocumentPath, _ revision: Revision?) -> Bool {
    var (collection, id) = (path.collection.description, path.id)
    return collection.withUTF8 { collection in
      id.withUTF8 { id in
        guard collection.allSatisfy(\.standsForItself), id.allSatisfy(\.standsForItself) else { return false }
        writePieces(atMost: 64 + collection.count + 2 * id.count) { writer in
          writer.append("{\"path\": \"")
          writer.append(UnsafeRawBufferPointer(collection))
          writer.append(UnsafeRawBufferPointer(id))
          writer.append("\", \"id\": \"")
          writer.append(UnsafeRawBufferPointer(id))
          writer.append("\", \"revision\": ")
          if let revision { writer.append(decimal: revision.rawValue) } else { writer.append("null") }
        }
        return true
      }
    }
  }

  /// A time as a JSON string, by RFC 3339.
  mutating func writeTime(_ time: Timestamp) {
    let count = Timestamp.textBytes + 2
    writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory in
      memory[0] = UInt8(ascii: "\"")
      time.writeText(to: UnsafeMutableRawBufferPointer(rebasing: memory[1...]))
      memory[count - 1] = UInt8(ascii: "\"")
      return count
    }
  }

  /// A document as a page shows it.
  /// - Parameters:
  ///   - data: what of the document is shown.
  ///   - match: what a search for words says of it.
  mutating func writeItem(
    _ document: Document, showing data: ByteBuffer, found match: TextMatch? = nil, withRevision: Bool
  ) {
    writeIdentity(document.path, withRevision ? document.revision : nil)
    writeStaticString(", \"created\": ")
    writeTime(document.created)
    writeStaticString(", \"updated\": ")
    writeTime(document.updated)
    if let expires = document.expires {
      writeStaticString(", \"expires\": ")
      writeTime(expires)
    }
    if let match { writeMatch(match) }
    writeStaticString(", \"document\": ")
    writeImmutableBuffer(data)
    writeStaticString("}")
  }

  private mutating func writeMatch(_ match: TextMatch) {
    if let score = match.score {
      writeStaticString(", \"score\": ")
      writeString(score.description)
    }
    writeStaticString(", \"snippet\": ")
    writeJSONString(match.snippet)
  }
}

extension UInt8 {
  /// Whether a byte of a path needs an escape neither in JSON nor in a path.
  fileprivate var standsForItself: Bool {
    switch self {
    case ..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "%"), UInt8(ascii: "?"), UInt8(ascii: "#"): false
    default: true
    }
  }
}
